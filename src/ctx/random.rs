//! Randomness, and the ids that are made of it and of the time.

use std::sync::{Arc, Mutex, MutexGuard};

use rand::rngs::StdRng;
use rand::{Rng, RngCore, SeedableRng};
use uuid::Uuid;

use crate::db::ids::ALPHABET;

/// The bits of a UUIDv7 that are not its time, version or variant.
const LOW_BITS: u32 = 74;

/// The greatest step between two ids of one millisecond: 2^27 of them fit before the low bits run over.
const MAX_STEP: u64 = 1 << 46;

/// Randomness: a ChaCha generator seeded by the system, or in tests by a number.
#[derive(Clone)]
pub struct Random {
    generator: Arc<Mutex<Generator>>,
}

struct Generator {
    bits: StdRng,
    /// The millisecond and the low bits of the last id.
    last: (u64, u128),
}

impl Random {
    /// Seeded by the system.
    pub fn system() -> Self {
        Random::new(StdRng::from_os_rng())
    }

    /// The same sequence for the same seed. For tests only: what it makes can be foreseen.
    pub fn seeded(seed: u64) -> Self {
        Random::new(StdRng::seed_from_u64(seed))
    }

    fn new(bits: StdRng) -> Self {
        let generator = Generator { bits, last: (0, 0) };
        Random {
            generator: Arc::new(Mutex::new(generator)),
        }
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.lock().bits.fill_bytes(&mut bytes);
        bytes
    }

    /// `N` random characters of Crockford's base32, five bits each.
    pub fn letters<const N: usize>(&self) -> String {
        // 256 is a multiple of 32: each character is as likely as any other.
        let letter = |byte| char::from(ALPHABET[usize::from(byte % 32)]);
        self.bytes::<N>().map(letter).iter().collect()
    }

    /// A UUIDv7 for that millisecond since 1970, greater than every one made before (RFC 9562 §6.2, method 2: within one
    /// millisecond the random part grows by a random step).
    ///
    /// Where the clock has gone back, or the random part has run over, the id's time is the last one's or a millisecond
    /// more.
    pub fn id(&self, millis: u64) -> Uuid {
        let mut generator = self.lock();
        let (before, low) = generator.last;
        let low = if millis > before {
            None
        } else {
            let step = generator.bits.random_range(1..=MAX_STEP);
            Some(low + u128::from(step)).filter(|low| low >> LOW_BITS == 0)
        };
        let next = match low {
            Some(low) => (before, low),
            // The highest bit is left to the steps.
            None => {
                let low = generator.bits.random::<u128>() >> (128 - LOW_BITS + 1);
                (millis.max(before + 1), low)
            }
        };
        generator.last = next;
        uuid(next)
    }

    fn lock(&self) -> MutexGuard<'_, Generator> {
        self.generator
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// RFC 9562 §5.7: 48 bits of time, 4 of version, 12 and 62 of the low bits with the variant between them.
fn uuid((millis, low): (u64, u128)) -> Uuid {
    let (rand_a, rand_b) = (low >> 62, low & ((1 << 62) - 1));
    let time = u128::from(millis & ((1 << 48) - 1)) << 80;
    Uuid::from_u128(time | 7 << 76 | rand_a << 64 | 2 << 62 | rand_b)
}
