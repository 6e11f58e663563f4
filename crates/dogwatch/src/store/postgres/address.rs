//! The address of a PostgreSQL: which servers it names, and how they prove who they are.
//!
//! `sslmode=disable`, or `prefer` (the default: encrypted where the server can, by whatever certificate it has, as
//! Debian's has one that nobody signed), or `require`: the certificate has to be of somebody who is trusted, and for the
//! server's name. `sslrootcert=FILE` says who that is; without it, those whom this machine trusts.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, bail};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_platform_verifier::ConfigVerifierExt;
use tokio_postgres::Config;
use tokio_postgres::config::{SslMode, TargetSessionAttrs};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::connection::DEADLINE;

/// What is read from an address.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    /// The servers, and who comes.
    pub(super) config: Config,
    /// Who has to have signed the server's certificate: a file.
    roots: Option<PathBuf>,
}

impl Address {
    /// Reads an address such as `postgres://dogwatch@db1,db2/dogwatch?sslmode=require`.
    ///
    /// # Errors
    ///
    /// What is wrong with it, without the password that it may hold.
    pub(crate) fn read(text: &str) -> anyhow::Result<Self> {
        let (mut roots, mut left) = (None, Vec::new());
        let (servers, parameters) = text.split_once('?').unwrap_or((text, ""));
        for (name, value) in url::form_urlencoded::parse(parameters.replace('+', "%2B").as_bytes()) {
            match (&*name, &*value) {
                ("sslrootcert", path) => roots = Some(PathBuf::from(path)),
                // More than the others call by this name, and nothing less.
                ("sslmode", "verify-full") => left.push("sslmode=require".to_owned()),
                ("sslmode", "allow" | "verify-ca") => bail!(
                    "database: sslmode={value} is not known here; write sslmode=require, or prefer, or disable"
                ),
                (name, value) => {
                    let encoded: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
                    left.push(format!("{name}={}", encoded.replace('+', "%20")));
                }
            }
        }
        let all = if left.is_empty() { servers.to_owned() } else { format!("{servers}?{}", left.join("&")) };
        let mut config: Config = all.parse().context(
            "database: the address of PostgreSQL can't be read; write \"postgres://USER@HOST/NAME\"",
        )?;
        if roots.is_some() && config.get_ssl_mode() != SslMode::Require {
            bail!("database: sslrootcert is of use with sslmode=require only; write both, or neither");
        }
        config.application_name("dogwatch").connect_timeout(DEADLINE);
        // A standby is of no use to us, also where one address leads to whichever server is the primary.
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        Ok(Self { config, roots })
    }

    /// How the servers are spoken to where they are spoken to encrypted.
    pub(super) fn tls(&self) -> anyhow::Result<MakeRustlsConnect> {
        let config = match (&self.roots, self.config.get_ssl_mode()) {
            (Some(file), _) => {
                let mut roots = RootCertStore::empty();
                let wrong =
                    || format!("database: sslrootcert: can't read certificates from {}", file.display());
                for certificate in CertificateDer::pem_file_iter(file).with_context(wrong)? {
                    roots.add(certificate.with_context(wrong)?).with_context(wrong)?;
                }
                if roots.is_empty() {
                    bail!("{}: there are none", wrong());
                }
                ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()
            }
            (None, SslMode::Require) => ClientConfig::with_platform_verifier()?,
            (None, _) => {
                let provider =
                    CryptoProvider::get_default().context("the cryptography was not set up")?.clone();
                let anybody = Arc::new(Anybody(provider));
                ClientConfig::builder()
                    .dangerous()
                    .with_custom_certificate_verifier(anybody)
                    .with_no_client_auth()
            }
        };
        Ok(MakeRustlsConnect::new(config))
    }
}

/// Takes any certificate: where no encryption would do, one by anybody does. Whoever can take the server's place could
/// as well say that it knows no encryption.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        format!("{:#}", Address::read(text).unwrap_err())
    }

    #[test]
    fn what_is_ours_is_taken_out_and_the_rest_left_as_it_is() {
        let text = "postgres://dog:p%3Fw@db1:5433,db2:5434/watch?sslmode=verify-full&sslrootcert=%2Fetc%2Four%20ca.pem\
             &options=-c%20search_path%3Dours&keepalives_idle=7";
        let address = Address::read(text).unwrap();
        assert_eq!(address.roots, Some(PathBuf::from("/etc/our ca.pem")));
        assert_eq!(address.config.get_ssl_mode(), SslMode::Require);
        assert_eq!(address.config.get_options(), Some("-c search_path=ours"));
        assert_eq!(address.config.get_password(), Some(&b"p?w"[..]));
        assert_eq!(address.config.get_ports(), [5433, 5434]);
        let plain = Address::read("postgres://dog@%2Frun%2Fpostgresql/watch").unwrap();
        assert_eq!((plain.roots, plain.config.get_ssl_mode()), (None, SslMode::Prefer));
    }

    #[test]
    fn what_can_not_be_meant_is_refused_and_no_password_told() {
        assert!(said("postgres://d:pw@db/w?sslrootcert=/ca.pem").contains("with sslmode=require only"));
        assert!(said("postgres://d:pw@db/w?sslmode=verify-ca").contains("write sslmode=require"));
        let wrong = said("postgres://d:pw@db:port/w?sslmode=require");
        assert!(wrong.contains("can't be read") && !wrong.contains("pw"), "{wrong}");
        assert!(said("postgres://d@db/w?nonsense=1").contains("nonsense"));
    }
}
