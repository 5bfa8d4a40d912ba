//! `assay provider`.

use assay_client::{BlobClient, Client, Signer, Wait, account, account::to_ss58, amount, calls, calls::staking};
use assay_primitives::{Account, order::ProviderView};

use super::{Outcome, connect, fee, sign, signer};
use crate::{
    args::ProviderCommand,
    error::CliError,
    term::{self, Style, Term},
    views,
};

pub async fn run(command: ProviderCommand, term: &Term) -> Outcome {
    match command {
        ProviderCommand::Register { stake, endpoint, worker, node, key, json } => {
            let signer = signer(&key)?;
            // The URL as clients will use it, so that a mistyped one never gets on chain.
            BlobClient::new(&endpoint)?;
            let worker = match worker {
                Some(text) => account_of(&text)?,
                None => signer.account(),
            };
            let client = connect(&node).await?;
            let register = staking::set_provider(&endpoint, &worker);
            let call = match stake {
                Some(amount) => calls::batch_all(vec![staking::stake(amount), register]),
                None => register,
            };
            let included = client.submit(&call, &signer, Wait::InBlock).await?;
            let view = find(&client, &signer.account()).await?;
            if json.json {
                term::json(&views::provider(&view));
            } else {
                term::note(&format!("registered in block {}, fee {}", included.block, amount::display(fee(&included))));
                print(&view, term);
            }
            Ok(())
        }
        ProviderCommand::Show { account, node, key, json } => {
            let account = match account {
                Some(account) => account,
                None => signer(&key)?.account(),
            };
            let view = find(&connect(&node).await?, &account).await?;
            if json.json {
                term::json(&views::provider(&view));
            } else {
                print(&view, term);
            }
            Ok(())
        }
        ProviderCommand::List { limit, node, json } => {
            let providers = connect(&node).await?.providers(limit).await?;
            if json.json {
                term::json(&providers.iter().map(views::provider).collect::<Vec<_>>());
                return Ok(());
            }
            if providers.is_empty() {
                term::line("  no providers");
                return Ok(());
            }
            let rows: Vec<Vec<String>> = providers
                .iter()
                .map(|view| {
                    vec![
                        to_ss58(&view.operator),
                        amount::format(view.stake),
                        amount::format(view.stake.saturating_sub(view.bonded)),
                        format!("{}/{}", view.settled, view.attempts),
                        view.faults.to_string(),
                        view.endpoint.clone(),
                    ]
                })
                .collect();
            term.table(&["provider", "stake", "free", "settled", "faults", "endpoint"], &rows);
            Ok(())
        }
        ProviderCommand::Unstake { amount, node, key } => {
            sign(&staking::unstake(amount), &node, &key).await?;
            term::line(&format!("{} unbond; take them later with `assay provider withdraw`", amount::display(amount)));
            Ok(())
        }
        ProviderCommand::Withdraw { node, key } => {
            sign(&staking::withdraw(), &node, &key).await?;
            term::line("what was unbonded is free");
            Ok(())
        }
        ProviderCommand::Retire { node, key } => {
            sign(&staking::retire_provider(), &node, &key).await?;
            term::line("no longer a provider; the stake stays until `assay provider unstake`");
            Ok(())
        }
    }
}

/// The account that a text names, be it an address or a secret.
fn account_of(text: &str) -> Result<Account, CliError> {
    match account::parse(text) {
        Ok(account) => Ok(account),
        Err(error) => Signer::parse(text)
            .map(|signer| signer.account())
            .map_err(|_| CliError::Refused(format!("--worker: {error}, and no secret either"))),
    }
}

async fn find(client: &Client, account: &Account) -> Result<ProviderView, CliError> {
    let view = client.provider(account).await?;
    view.ok_or_else(|| CliError::NotFound { what: "provider", name: to_ss58(account) })
}

fn print(view: &ProviderView, term: &Term) {
    term.title(&format!("provider {}", to_ss58(&view.operator)));
    let mut facts = vec![
        ("endpoint", view.endpoint.clone()),
        ("worker", to_ss58(&view.worker)),
        ("stake", format!("{}, of it {} in bonds", amount::display(view.stake), amount::display(view.bonded))),
        (
            "record",
            format!(
                "{}, {} settled, {} declined, {} let pass, {} at fault",
                term::plural(view.attempts.into(), "attempt"),
                view.settled,
                view.declined,
                view.no_shows,
                view.faults
            ),
        ),
        ("slashed", amount::display(view.slashed)),
    ];
    if let Some(block) = view.suspended_until {
        facts.push(("suspended", term.paint(Style::Red, format!("until block {block}"))));
    }
    term.facts(&facts);
}
