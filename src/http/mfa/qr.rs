//! A QR code as an SVG, ready to embed in a page.

use qrcode::QrCode;
use qrcode::render::svg;

use crate::http::error::ApiError;

/// Pixels, unless scaled.
const SIDE: u32 = 240;

/// An `<svg>` element, with its white margin.
pub(super) fn svg(text: &str) -> Result<String, ApiError> {
    let code = QrCode::new(text).map_err(|error| {
        ApiError::internal(format!("a QR code of {} bytes: {error}", text.len()))
    })?;
    let document = code
        .render::<svg::Color<'_>>()
        .min_dimensions(SIDE, SIDE)
        .build();
    // An XML declaration is not allowed inside a page.
    let element = document.find("<svg").and_then(|at| document.get(at..));
    Ok(element.unwrap_or(&document).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_address_still_fits() {
        let svg = svg(&"a".repeat(1000)).unwrap();
        assert!(svg.starts_with("<svg xmlns="), "{svg}");
        assert!(!svg.contains("<script"), "{svg}");
    }
}
