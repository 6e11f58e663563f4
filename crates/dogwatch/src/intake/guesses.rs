//! Who guesses keys. After a few wrong ones an address is told to come back later, and later each time.
//!
//! Only wrong keys are counted and only they are held back: a sender with a right key is let in wherever it comes from,
//! also from behind the same proxy as somebody who guesses.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};

use crate::clock::lock;

/// So many wrong keys are answered as they come: somebody is setting up a sender.
const FREE: u32 = 10;
/// The longest wait, in seconds.
const LONGEST: u32 = 300;
/// An address that is quiet for so long is forgotten.
const FORGIVEN: SignedDuration = SignedDuration::from_mins(10);
/// The most addresses that are remembered. The one that has been quiet longest makes room.
const MOST: usize = 4_096;

#[derive(Clone, Copy, Debug)]
struct Guess {
    count: u32,
    last: Timestamp,
}

/// The wrong keys of each address. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Guesses {
    known: Arc<Mutex<HashMap<IpAddr, Guess>>>,
}

/// A house has one address, or 2⁶⁴ of them.
fn house(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

impl Guesses {
    /// A wrong key has come from this address. In how many seconds to come back, if there were too many of them.
    pub fn wrong(&self, from: IpAddr, now: Timestamp) -> Option<u32> {
        let from = house(from);
        let mut known = lock(&self.known);
        if known.len() >= MOST && !known.contains_key(&from) {
            let quiet = known.iter().min_by_key(|(_, guess)| guess.last).map(|(address, _)| *address);
            quiet.and_then(|address| known.remove(&address));
        }
        let guess = known.entry(from).or_insert(Guess { count: 0, last: now });
        if now.duration_since(guess.last) >= FORGIVEN {
            guess.count = 0;
        }
        *guess = Guess { count: guess.count.saturating_add(1), last: now };
        let over = guess.count.checked_sub(FREE + 1)?;
        Some(1_u32.checked_shl(over).unwrap_or(LONGEST).clamp(1, LONGEST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + seconds).unwrap()
    }

    #[test]
    fn waits_grow_for_one_address_and_are_forgiven() {
        let (guesses, guesser) = (Guesses::default(), "192.0.2.1".parse().unwrap());
        for _ in 0..FREE {
            assert_eq!(guesses.wrong(guesser, at(0)), None);
        }
        let waits: Vec<_> = (0..12).map(|_| guesses.wrong(guesser, at(1)).unwrap()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        for _ in 0..100 {
            assert_eq!(guesses.wrong(guesser, at(1)), Some(300));
        }
        assert_eq!(guesses.wrong("192.0.2.2".parse().unwrap(), at(1)), None, "another house");
        assert_eq!(guesses.wrong(guesser, at(-9)), Some(300), "the clock was set back");
        assert_eq!(guesses.wrong(guesser, at(592)), None, "quiet for 10 minutes");
    }

    #[test]
    fn a_house_of_ipv6_is_one_and_memory_is_bounded() {
        let guesses = Guesses::default();
        for last in 0..=FREE {
            let told = guesses.wrong(format!("2001:db8::{last:x}").parse().unwrap(), at(0));
            assert_eq!(told.is_some(), last == FREE);
        }
        for other in 0..2 * MOST as u32 {
            guesses.wrong(std::net::Ipv4Addr::from(other).into(), at(1 + i64::from(other)));
        }
        assert_eq!(lock(&guesses.known).len(), MOST);
    }
}
