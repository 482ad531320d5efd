//! `cargo bench -p bcrypt-lanes`: one thread against the `bcrypt` crate, interleaved in one run.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a measurement that goes wrong may end, and its figures are for the terminal"
)]

use std::hint::black_box;
use std::time::Instant;

use bcrypt_lanes::{Batch, Input};

const ROUNDS: usize = 9;
const SALT: [u8; 16] = *b"sixteen bytes...";
const PASSWORD: &[u8] = b"every-door-is-open";

fn main() {
    for cost in [10, 12] {
        let mut times = vec![Vec::new(); 9];
        for _ in 0..ROUNDS {
            times[0].push(milliseconds(|| {
                let key = [PASSWORD, b"\0"].concat();
                black_box(bcrypt::bcrypt(cost, SALT, black_box(&key)));
            }));
            times[1].push(lanes::<1>(cost));
            times[2].push(lanes::<2>(cost));
            times[3].push(lanes::<3>(cost));
            times[4].push(lanes::<4>(cost));
            times[5].push(lanes::<5>(cost));
            times[6].push(lanes::<6>(cost));
            times[7].push(lanes::<7>(cost));
            times[8].push(lanes::<8>(cost));
        }
        let medians: Vec<f64> = times.into_iter().map(median).collect();
        println!(
            "cost {cost}, milliseconds of one core for each hash, medians of {ROUNDS} rounds:"
        );
        for (lanes, ms) in medians.iter().enumerate() {
            let name = match lanes {
                0 => "bcrypt crate".to_owned(),
                1 => "1 lane".to_owned(),
                more => format!("{more} lanes"),
            };
            println!("  {name:<13} {ms:>7.1}   {:.2} x", medians[0] / ms);
        }
    }
}

fn lanes<const N: usize>(cost: u32) -> f64 {
    let mut batch: Batch<(), N> = Batch::new();
    for _ in 0..N {
        let input = Input::new(black_box(PASSWORD), SALT, cost).expect("a cost of bcrypt");
        batch.join(input, ()).expect("room for N");
    }
    let total = milliseconds(|| {
        while batch.busy() > 0 {
            batch.advance(u32::MAX, |(), digest| {
                black_box(digest);
            });
        }
    });
    total / N as f64
}

fn milliseconds(work: impl FnOnce()) -> f64 {
    let begun = Instant::now();
    work();
    begun.elapsed().as_secs_f64() * 1000.0
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
