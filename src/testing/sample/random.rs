//! Numbers that look random and are the same on every machine: SplitMix64 (Steele, Lea and Flood,
//! 2014), and distributions made of nothing but additions, multiplications and divisions, which
//! IEEE 754 fixes to the last bit. The logarithms and cosines of a platform are not so fixed.

/// A stream of numbers that its seed determines.
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    /// The stream for one purpose of one message.
    pub(super) fn new(seed: u64, index: u64, purpose: u64) -> Self {
        let mut mixed = Self(seed);
        mixed.0 ^= mixed.next() ^ index.wrapping_mul(0xff51_afd7_ed55_8ccd);
        mixed.0 ^= mixed.next() ^ purpose.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        mixed
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// From 0 up to and without 1.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// From 0 up to and without `end`, which is not 0.
    pub(super) fn below(&mut self, end: usize) -> usize {
        // Multiplication instead of a remainder: faster, and as even.
        ((u128::from(self.next()) * end as u128) >> 64) as usize
    }

    /// Yes in so many of a hundred cases.
    pub(super) fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(super) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// From 0 up to and without `end`, where k + 1 is as likely as 1 / (k + 1) (Zipf).
    pub(super) fn zipf(&mut self, end: usize) -> usize {
        let total: f64 = (1..=end).map(|rank| 1.0 / rank as f64).sum();
        let mut left = self.unit() * total;
        for rank in 1..end {
            left -= 1.0 / rank as f64;
            if left < 0.0 {
                return rank - 1;
            }
        }
        end - 1
    }

    /// Log-normal with this median: the exponential of a sum of uniform numbers, which is as good
    /// as normal up to three deviations.
    pub(super) fn log_normal(&mut self, median: f64, deviation: f64) -> f64 {
        let normal: f64 = (0..12).map(|_| self.unit()).sum::<f64>() - 6.0;
        // The exponential as (1 + x/1024)^1024.
        let mut power = (1.0 + normal * deviation / 1_024.0).max(0.0);
        for _ in 0..10 {
            power *= power;
        }
        median * power
    }

    /// So many octets without a pattern.
    pub(super) fn octets(&mut self, count: usize) -> Vec<u8> {
        let mut octets = Vec::with_capacity(count + 8);
        while octets.len() < count {
            octets.extend_from_slice(&self.next().to_le_bytes());
        }
        octets.truncate(count);
        octets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_published_splitmix64() {
        let mut random = Random(1_234_567);
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn streams_differ_by_seed_index_and_purpose() {
        let first = |seed, index, purpose| Random::new(seed, index, purpose).next();
        let all = [
            first(0, 0, 0),
            first(1, 0, 0),
            first(0, 1, 0),
            first(0, 0, 1),
        ];
        for (position, number) in all.iter().enumerate() {
            assert!(!all[..position].contains(number));
        }
    }
}
