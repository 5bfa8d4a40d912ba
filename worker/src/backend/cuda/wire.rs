//! What parent and child say to each other over pipes: frames of a tag, a length and bytes.

use assay_primitives::{Program, program::MAX_BUFFER_LEN};
use codec::{Decode, Encode};
use std::io::{self, Read, Write};

/// What is to be run; the buffers' bytes follow, each as one string of bytes.
#[derive(Encode, Decode)]
pub struct Request {
    /// The device.
    pub ordinal: u32,
    /// The program.
    pub program: Program,
    /// The kernels' PTX, in the program's order.
    pub ptx: Vec<Vec<u8>>,
}

/// What the child answers.
pub enum Frame {
    /// A buffer that the running launch may have changed.
    Changed {
        /// The buffer.
        buffer: u16,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// A launch is over, its buffers are all told.
    Launched,
    /// The program is over.
    Done,
    /// The device failed.
    Failed(String),
}

pub fn write_bytes(to: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    to.write_all(&(bytes.len() as u64).to_le_bytes())?;
    to.write_all(bytes)
}

pub fn read_bytes(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut len = [0; 8];
    from.read_exact(&mut len)?;
    let len = u64::from_le_bytes(len);
    if len > MAX_BUFFER_LEN {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a frame is too long"));
    }
    let mut bytes = Vec::new();
    from.take(len).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == len { Ok(bytes) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

impl Frame {
    pub fn write(&self, to: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Changed { buffer, bytes } => {
                to.write_all(&[0])?;
                to.write_all(&buffer.to_le_bytes())?;
                write_bytes(to, bytes)
            }
            Self::Launched => to.write_all(&[1]),
            Self::Done => to.write_all(&[2]),
            Self::Failed(reason) => {
                to.write_all(&[3])?;
                write_bytes(to, reason.as_bytes())
            }
        }
    }

    pub fn read(from: &mut impl Read) -> io::Result<Self> {
        let mut tag = [0];
        from.read_exact(&mut tag)?;
        match tag {
            [0] => {
                let mut buffer = [0; 2];
                from.read_exact(&mut buffer)?;
                Ok(Self::Changed { buffer: u16::from_le_bytes(buffer), bytes: read_bytes(from)? })
            }
            [1] => Ok(Self::Launched),
            [2] => Ok(Self::Done),
            [3] => Ok(Self::Failed(String::from_utf8_lossy(&read_bytes(from)?).into_owned())),
            _ => Err(io::Error::new(io::ErrorKind::InvalidData, "no such frame")),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    #[test]
    fn frames_read_back_and_a_cut_one_is_an_error() {
        let mut bytes = Vec::new();
        Frame::Changed { buffer: 7, bytes: vec![1, 2, 3] }.write(&mut bytes).unwrap();
        Frame::Failed("no memory".into()).write(&mut bytes).unwrap();
        let whole = bytes.clone();
        let mut rest = whole.as_slice();
        assert!(matches!(Frame::read(&mut rest).unwrap(), Frame::Changed { buffer: 7, bytes } if bytes == [1, 2, 3]));
        assert!(matches!(Frame::read(&mut rest).unwrap(), Frame::Failed(reason) if reason == "no memory"));
        assert!(Frame::read(&mut rest).is_err());
        assert!(Frame::read(&mut whole.get(..8).unwrap()).is_err());
        assert!(Frame::read(&mut [9u8].as_slice()).is_err());
        assert!(Frame::read(&mut [&[3u8][..], &[255; 8]].concat().as_slice()).is_err());
    }
}
