//! Long lists, a page at a time: each page begins after the key of the last item of the one before, so that
//! what comes or goes meanwhile neither repeats nor hides anything.

/// Which page is asked for.
#[derive(Debug, Clone, Copy)]
pub struct PageRequest<K> {
    /// The last key of the page before; missing for the first page.
    pub after: Option<K>,
    /// Items, at least one.
    pub limit: u8,
}

impl<K> PageRequest<K> {
    /// How many rows to read: one more than wanted tells whether there is another page.
    pub fn rows(&self) -> i64 {
        i64::from(self.limit) + 1
    }
}

/// One page, and where the next one begins.
#[derive(Debug, Clone)]
pub struct Page<T, K> {
    pub items: Vec<T>,
    /// Missing on the last page.
    pub next: Option<K>,
}

impl<T, K> Page<T, K> {
    /// Makes a page of the [`rows`](PageRequest::rows) that were read.
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
    fn only_a_page_before_the_last_says_where_the_next_begins() {
        let request = PageRequest {
            after: None,
            limit: 3,
        };
        for (there, shown, next) in [(0, 0, None), (2, 2, None), (3, 3, None), (4, 3, Some(2))] {
            let rows: Vec<i32> = (0..there).collect();
            assert_eq!(request.rows(), 4);
            let page = Page::of(rows, &request, |row| *row);
            assert_eq!((page.items.len(), page.next), (shown, next));
        }
    }
}
