//! Declares a request body once: its JSON, its rules and the values that handlers receive.

/// A struct of parsed fields, in camelCase and without unknown fields. It gives the schema. `serde` and `validator` read
/// a copy of it with [`Parsed`](super::field::Parsed) fields, so that a client learns of all faults at once.
macro_rules! body {
    ($(#[$of_struct:meta])* pub struct $name:ident {
        $($(#[$of_field:meta])* $visibility:vis $field:ident: $type:ty),* $(,)?
    }) => {
        $(#[$of_struct])*
        #[derive(utoipa::ToSchema)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        pub(crate) struct $name {
            $($(#[$of_field])* $visibility $field: $type),*
        }

        const _: () = {
            #[derive(serde::Deserialize, validator::Validate)]
            #[serde(rename_all = "camelCase")]
            struct Raw {
                $(#[serde(default)]
                #[validate(custom(function = "crate::http::field::is_valid"))]
                $field: $crate::http::field::Parsed<$type>),*
            }

            impl $crate::http::body::Body for $name {
                fn from_fields(
                    fields: $crate::http::body::Fields,
                ) -> Result<Self, $crate::http::error::ApiError> {
                    match fields.read::<Raw>()? {
                        (Raw { $($field: $crate::http::field::Parsed(Ok($field))),* }, faults)
                            if faults.is_empty() => Ok(Self { $($field),* }),
                        (_, faults) => Err(faults.into()),
                    }
                }
            }
        };
    };
}

pub(super) use body;
