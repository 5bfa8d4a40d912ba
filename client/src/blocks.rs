//! Blocks as they come. The streams go on after the connection broke; blocks that came meanwhile are skipped by
//! [`Client::best_blocks`] and filled in by [`Client::finalised_blocks`].

use crate::{BlockHash, Client, Error, Result, chain::block_number};
use assay_primitives::{BlockNumber, OrderId, order::OrderView};
use futures::{Stream, StreamExt, stream};
use std::pin::Pin;

/// A block's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its number.
    pub number: BlockNumber,
    /// Its hash.
    pub hash: BlockHash,
}

/// A stream of blocks.
pub type Blocks = Pin<Box<dyn Stream<Item = Result<Block>> + Send>>;

impl Client {
    /// Each block that becomes the best, from the present one on.
    pub async fn best_blocks(&self) -> Result<Blocks> {
        Ok(read(self.api.stream_best_blocks().await.map_err(failed)?))
    }

    /// Each block that becomes final, from the present one on.
    pub async fn finalised_blocks(&self) -> Result<Blocks> {
        Ok(read(self.api.stream_blocks().await.map_err(failed)?))
    }

    /// The order now and whenever it has changed, up to its end. An order that does not exist (yet) is waited for.
    pub async fn watch_order(&self, order: OrderId) -> Result<Pin<Box<dyn Stream<Item = Result<OrderView>> + Send>>> {
        let blocks = self.best_blocks().await?;
        let state = (self.clone(), blocks, None::<OrderView>);
        Ok(Box::pin(stream::unfold(state, move |(client, mut blocks, last)| async move {
            if last.as_ref().is_some_and(|view| view.status.is_terminal()) {
                return None;
            }
            loop {
                if let Err(error) = blocks.next().await? {
                    return Some((Err(error), (client, blocks, last)));
                }
                match client.order(order).await {
                    Ok(Some(view)) if last.as_ref() != Some(&view) => {
                        return Some((Ok(view.clone()), (client, blocks, Some(view))));
                    }
                    Ok(_) => {}
                    Err(error) => return Some((Err(error), (client, blocks, last))),
                }
            }
        })))
    }
}

fn read(blocks: subxt::client::Blocks<crate::Config>) -> Blocks {
    Box::pin(blocks.map(|block| {
        let block = block.map_err(failed)?;
        Ok(Block { number: block_number(block.number())?, hash: block.hash() })
    }))
}

fn failed(error: subxt::error::BlocksError) -> Error {
    let error = subxt::error::Error::from(error);
    if error.is_disconnected_will_reconnect() {
        Error::Lost
    } else {
        Error::incompatible("the stream of blocks", error)
    }
}
