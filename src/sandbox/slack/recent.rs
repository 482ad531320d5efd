//! A map that only keeps the most recent entries.

use std::collections::VecDeque;

/// More than any test or demo needs at a time.
const CAPACITY: usize = 1_000;

/// Inserting into a full map removes the oldest entry.
pub(super) struct Recent<V>(VecDeque<(String, V)>);

impl<V> Recent<V> {
    pub(super) fn new() -> Self {
        Self(VecDeque::new())
    }

    pub(super) fn insert(&mut self, key: String, value: V) {
        if self.0.len() == CAPACITY {
            self.0.pop_front();
        }
        self.0.push_back((key, value));
    }

    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut V> {
        self.0
            .iter_mut()
            .find(|(known, _)| known == key)
            .map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_oldest_entry_is_dropped() {
        let mut recent = Recent::new();
        for i in 0..=CAPACITY {
            recent.insert(i.to_string(), i);
        }
        assert_eq!(recent.get_mut("0"), None);
        assert_eq!(recent.get_mut("1"), Some(&mut 1));
        assert_eq!(recent.0.len(), CAPACITY);
    }
}
