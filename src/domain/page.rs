//! Keyset pagination: each page starts after the key of the previous page's last item, so rows added or
//! removed in between are neither repeated nor skipped.

/// The page a client asks for.
#[derive(Debug, Clone, Copy)]
pub struct PageRequest<K> {
    /// The last key of the previous page; `None` for the first page.
    pub after: Option<K>,
    /// The maximum number of items, at least one.
    pub limit: u8,
}

impl<K> PageRequest<K> {
    /// How many rows to read: one more than requested, to know whether there is another page.
    pub fn rows(&self) -> i64 {
        i64::from(self.limit) + 1
    }
}

/// One page, and where the next one starts.
#[derive(Debug, Clone)]
pub struct Page<T, K> {
    pub items: Vec<T>,
    /// `None` on the last page.
    pub next: Option<K>,
}

impl<T, K> Page<T, K> {
    /// Builds a page from the [`rows`](PageRequest::rows) that were read.
    pub fn of(mut rows: Vec<T>, request: &PageRequest<K>, key: impl Fn(&T) -> K) -> Self {
        let limit = usize::from(request.limit);
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let next = if has_more { rows.last().map(key) } else { None };
        Self { items: rows, next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_but_the_last_has_a_cursor_to_the_next() {
        let request = PageRequest {
            after: None,
            limit: 3,
        };
        for (total, shown, next) in [(0, 0, None), (2, 2, None), (3, 3, None), (4, 3, Some(2))] {
            let rows: Vec<i32> = (0..total).collect();
            assert_eq!(request.rows(), 4);
            let page = Page::of(rows, &request, |row| *row);
            assert_eq!((page.items.len(), page.next), (shown, next));
        }
    }
}
