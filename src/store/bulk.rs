//! Inserting many rows with few statements.

/// The most rows of one statement. SQLite binds 32,766 values at most.
const MOST: usize = 128;

/// The rows in pieces whose sizes are powers of two, so that a connection prepares eight statements for a table and not
/// one for each number of rows.
pub(super) fn pieces<T>(rows: &[T]) -> impl Iterator<Item = &[T]> {
    let mut left = rows;
    std::iter::from_fn(move || {
        if left.is_empty() {
            return None;
        }
        let size = MOST.min(1 << left.len().ilog2());
        let (piece, rest) = left.split_at(size);
        left = rest;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_have_all_rows_in_their_order_and_few_sizes() {
        for count in [0, 1, 2, 3, 127, 128, 129, 500] {
            let rows: Vec<usize> = (0..count).collect();
            let found: Vec<&[usize]> = pieces(&rows).collect();
            assert_eq!(found.concat(), rows);
            assert!(
                found
                    .iter()
                    .all(|piece| piece.len().is_power_of_two() && piece.len() <= MOST)
            );
        }
    }
}
