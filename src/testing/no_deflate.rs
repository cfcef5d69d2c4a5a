//! Stands in for `deflate` when the feature `compress` is off: nothing can turn compression on.

use std::io;
use std::marker::PhantomData;
use std::net::TcpStream;

#[derive(Debug)]
pub(super) struct Deflater;

impl Deflater {
    pub(super) fn new() -> Self {
        Self
    }

    pub(super) fn deflate(&mut self, _: &[u8]) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[derive(Debug)]
pub(super) struct Inflater<'a>(PhantomData<&'a TcpStream>);

impl<'a> Inflater<'a> {
    pub(super) fn new(_: Vec<u8>, _: &'a TcpStream) -> Self {
        Self(PhantomData)
    }

    pub(super) fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
