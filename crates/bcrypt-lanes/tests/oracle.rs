//! Compares this crate with the `bcrypt` crate and with published hashes.
#![expect(
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests fail by panicking, and their numbers are small"
)]

use std::collections::BTreeMap;

use bcrypt_lanes::{Batch, Digest, Input, bcrypt};
use proptest::collection::vec;
use proptest::prelude::*;

const LANES: usize = 6;

type Salt = [u8; 16];

fn ours(password: &[u8], salt: Salt, cost: u32) -> Digest {
    bcrypt(&Input::new(password, salt, cost).unwrap())
}

/// The key is built here, independently of [`Input`].
fn theirs(password: &[u8], salt: Salt, cost: u32) -> [u8; 24] {
    let key = [password, b"\0"].concat();
    bcrypt::bcrypt(cost, salt, &key[..key.len().min(72)])
}

#[test]
fn every_length_agrees_with_the_bcrypt_crate() {
    for length in 0..=80 {
        let password: Vec<u8> = (1..=255).rev().cycle().take(length).collect();
        let salt = [length as u8; 16];
        let expected = theirs(&password, salt, 4);
        assert_eq!(*ours(&password, salt, 4).as_bytes(), expected, "{length}");
    }
}

#[test]
fn every_cost_up_to_12_agrees_with_the_bcrypt_crate_on_every_lane() {
    for cost in 4..=12 {
        let mut batch: Batch<u8, LANES> = Batch::new();
        for n in 0..LANES as u8 {
            let input = Input::new(&[n + 1; 9], [n; 16], cost).unwrap();
            batch.join(input, n).unwrap();
        }
        while batch.busy() > 0 {
            batch.advance(u32::MAX, |n, digest| {
                // Costs of eleven and twelve are expensive, and every lane runs the same code.
                if cost < 11 || n % 3 == 2 {
                    assert_eq!(*digest.as_bytes(), theirs(&[n + 1; 9], [n; 16], cost));
                }
            });
        }
    }
}

#[test]
fn every_lane_is_right_whatever_the_others_do() {
    let salt = |n: usize| [n as u8; 16];
    let expected: Vec<_> = (0..LANES).map(|n| theirs(b"other", salt(n), 5)).collect();
    let expected_longer = theirs(b"observed", [99; 16], 6);
    // Which lane is observed, how many others there are, and when they come and go.
    for observed in 0..LANES {
        for others in observed..LANES {
            for (late, given_up) in [(false, false), (true, false), (false, true), (true, true)] {
                let mut batch: Batch<Option<usize>, LANES> = Batch::new();
                for n in 0..others.min(observed) {
                    let input = Input::new(b"other", salt(n), 5).unwrap();
                    batch.join(input, Some(n)).unwrap();
                }
                let input = Input::new(b"observed", [99; 16], 6).unwrap();
                batch.join(input, None).unwrap();
                let mut found = 0;
                let mut check = |which: Option<usize>, digest: Digest| {
                    let right = which.map_or(&expected_longer, |n| &expected[n]);
                    assert_eq!(digest.as_bytes(), right);
                    found += 1;
                };
                if late {
                    batch.advance(7, &mut check);
                }
                for n in observed..others {
                    let input = Input::new(b"other", salt(n), 5).unwrap();
                    batch.join(input, Some(n)).unwrap();
                }
                if given_up {
                    batch.advance(3, &mut check);
                    batch.retain(|which| which.is_none_or(|n| n % 2 == 0));
                }
                while batch.busy() > 0 {
                    batch.advance(5, &mut check);
                }
                let left = if given_up { others.div_ceil(2) } else { others };
                assert_eq!(found, left + 1);
            }
        }
    }
}

#[derive(Debug, Clone)]
struct Job {
    password: Vec<u8>,
    salt: Salt,
    cost: u32,
    /// Iterations of the batch between the previous hash and this one.
    after: u32,
    /// Abandoned after this many calls, unless it is done by then.
    abandoned_after: Option<u32>,
}

fn job() -> impl Strategy<Value = Job> {
    (
        vec(any::<u8>(), 0..=72),
        any::<Salt>(),
        prop_oneof![15 => Just(4_u32), 1 => Just(5)],
        0_u32..6,
        prop_oneof![9 => Just(None), 1 => (0_u32..8).prop_map(Some)],
    )
        .prop_map(|(password, salt, cost, after, abandoned_after)| Job {
            password,
            salt,
            cost,
            after,
            abandoned_after,
        })
}

/// A batch in which hashes join, finish and leave, each checked against the oracle.
fn everything_agrees<const N: usize>(jobs: &[Job]) {
    let mut batch: Batch<usize, N> = Batch::new();
    let mut done = BTreeMap::new();
    let mut given_up = Vec::new();
    let mut calls = vec![0; jobs.len()];
    let mut take = |batch: &mut Batch<usize, N>, iterations| {
        batch.advance(iterations, |n, digest| {
            assert!(done.insert(n, digest).is_none(), "returned twice");
        });
        batch.retain(|&n| {
            calls[n] += 1;
            let keep = jobs[n]
                .abandoned_after
                .is_none_or(|abandoned_after| calls[n] <= abandoned_after);
            if !keep {
                given_up.push(n);
            }
            keep
        });
    };
    for (n, job) in jobs.iter().enumerate() {
        take(&mut batch, job.after);
        while batch.busy() == N {
            take(&mut batch, 3);
        }
        let input = Input::new(&job.password, job.salt, job.cost).unwrap();
        batch.join(input, n).unwrap();
    }
    while batch.busy() > 0 {
        take(&mut batch, 4);
    }
    for (n, job) in jobs.iter().enumerate() {
        match done.get(&n) {
            None => assert!(given_up.contains(&n), "lost"),
            Some(digest) => {
                let right = theirs(&job.password, job.salt, job.cost);
                assert_eq!(*digest.as_bytes(), right);
            }
        }
    }
}

// More than twenty thousand hashes in all.
proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_batch_of_two_computes_bcrypt(jobs in vec(job(), 1..16)) {
        everything_agrees::<2>(&jobs);
    }

    #[test]
    fn a_batch_of_five_computes_bcrypt(jobs in vec(job(), 1..40)) {
        everything_agrees::<5>(&jobs);
    }

    #[test]
    fn a_batch_of_six_computes_bcrypt(jobs in vec(job(), 1..40)) {
        everything_agrees::<6>(&jobs);
    }

    #[test]
    fn a_batch_of_eight_computes_bcrypt(jobs in vec(job(), 1..24)) {
        everything_agrees::<8>(&jobs);
    }
}

/// From the test suites of crypt_blowfish and OpenBSD (`U*U` …) and jBCrypt (the rest): password, hash.
const PUBLISHED: [(&[u8], &str); 13] = [
    (
        b"",
        "$2a$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s.",
    ),
    (
        b"",
        "$2a$08$HqWuK6/Ng6sg9gQzbLrgb.Tl.ZHfXLhvt/SgVyWhQqgqcZ7ZuUtye",
    ),
    (
        b"a",
        "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe",
    ),
    (
        b"a",
        "$2a$08$cfcvVd2aQ8CMvoMpP2EBfeodLEkkFJ9umNEfPD18.hUF62qqlC/V.",
    ),
    (
        b"abc",
        "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i",
    ),
    (
        b"abcdefghijklmnopqrstuvwxyz",
        "$2a$06$.rCVZVOThsIa97pEDOxvGuRRgzG64bvtJ0938xuqzv18d3ZpQhstC",
    ),
    (
        b"~!@#$%^&*()      ~!@#$%^&*()PNBFRD",
        "$2a$06$fPIsBO8qRqkjj273rfaOI.HtSV9jLDpTbZn782DC6/t7qT67P6FfO",
    ),
    (
        b"",
        "$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy",
    ),
    (
        b"U*U",
        "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
    ),
    (
        b"U*U*",
        "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK",
    ),
    (
        b"U*U*U",
        "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a",
    ),
    // Bytes above 127 trigger the sign extension bug.
    (
        b"\xa3",
        "$2y$05$/OK.fbVrR/bpIqNJ5ianF.Sa7shbm4.OzKpvFnX1pQLmQW96oUlCq",
    ),
    (
        b"\xff\xff\xa3",
        "$2y$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e",
    ),
];

#[test]
fn published_hashes_are_reproduced() {
    for (password, hash) in PUBLISHED {
        let cost = hash[4..6].parse().unwrap();
        let salt = base64(&hash[7..29]).try_into().unwrap();
        let digest = ours(password, salt, cost);
        assert_eq!(digest.checksum().to_vec(), base64(&hash[29..]), "{hash}");
        assert!(!ours(b"something else", salt, cost).matches(&digest.checksum()));
    }
}

#[test]
fn versions_of_one_hash_give_the_same_result() {
    let made = bcrypt::hash_with_salt("U*U", 5, [7; 16]).unwrap();
    let expected = ours(b"U*U", [7; 16], 5);
    for version in [
        bcrypt::Version::TwoA,
        bcrypt::Version::TwoB,
        bcrypt::Version::TwoY,
    ] {
        let hash = made.format_for_version(version);
        assert_eq!(base64(&hash[29..]), expected.checksum(), "{hash}");
    }
}

/// bcrypt's own alphabet, without padding.
fn base64(text: &str) -> Vec<u8> {
    const ALPHABET: &str = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let (mut bits, mut count, mut bytes) = (0_u32, 0, Vec::new());
    for c in text.chars() {
        bits = bits << 6 | ALPHABET.find(c).unwrap() as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    bytes
}
