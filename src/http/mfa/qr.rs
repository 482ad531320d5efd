//! A QR code as an SVG, for a page to show as it is.

use qrcode::QrCode;
use qrcode::render::svg;

use crate::http::error::ApiError;

/// Pixels, where nothing scales it.
const SIDE: u32 = 240;

pub fn svg(text: &str) -> Result<String, ApiError> {
    let code = QrCode::new(text).map_err(|error| {
        ApiError::internal(format!("a QR code of {} bytes: {error}", text.len()))
    })?;
    Ok(code
        .render::<svg::Color<'_>>()
        .min_dimensions(SIDE, SIDE)
        .build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_address_still_fits() {
        let svg = svg(&"a".repeat(1000)).unwrap();
        assert!(svg.contains("<svg"), "{svg}");
        assert!(!svg.contains("<script"), "{svg}");
    }
}
