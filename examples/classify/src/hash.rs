//! FNV-1a with 64 bits. A hash that never changes, because buckets are in the files of models, and
//! because who is held out must not change from one run to the next.

pub(crate) fn hash(octets: &[u8]) -> u64 {
    octets.iter().fold(START, |state, octet| {
        (state ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3)
    })
}

const START: u64 = 0xcbf2_9ce4_8422_2325;

#[cfg(test)]
mod tests {
    #[test]
    fn is_the_one_that_others_have() {
        assert_eq!(super::hash(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(super::hash(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
