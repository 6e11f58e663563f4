//! What a browser's push service carries can be read by that browser only: RFC 8291 over RFC 8188.

use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral};
use ring::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use ring::rand::SecureRandom;

/// The size of a record, as it is told: all fits into one.
const RECORD: u32 = 4096;
/// The most that a message may hold: a record less what stands around it.
pub(super) const MAX_PLAIN: usize = RECORD as usize - 86 - 16 - 1;

/// A number of bytes that a key is derived to.
#[derive(Clone, Copy)]
struct Bytes(usize);

impl KeyType for Bytes {
    fn len(&self) -> usize {
        self.0
    }
}

/// So many bytes derived from `key` for this purpose.
fn derive<const N: usize>(key: &Prk, purpose: &[&[u8]]) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    key.expand(purpose, Bytes(N)).ok()?.fill(&mut bytes).ok()?;
    Some(bytes)
}

/// Encrypts a message for the browser with this public key and secret. `None`: the key is no point of the curve, or
/// the message is too long.
pub(super) fn encrypt(
    plain: &[u8],
    browser: &[u8],
    auth: &[u8],
    random: &dyn SecureRandom,
) -> Option<Vec<u8>> {
    if plain.len() > MAX_PLAIN {
        return None;
    }
    let mut salt = [0; 16];
    random.fill(&mut salt).ok()?;
    let private = EphemeralPrivateKey::generate(&ECDH_P256, random).ok()?;
    let ours = private.compute_public_key().ok()?;
    // The key that both sides reach, bound to both public keys and to the browser's secret.
    let shared = agree_ephemeral(private, &UnparsedPublicKey::new(&ECDH_P256, browser), |shared| {
        let key = Salt::new(HKDF_SHA256, auth).extract(shared);
        derive::<32>(&key, &[b"WebPush: info\0", browser, ours.as_ref()])
    })
    .ok()??;
    let key = Salt::new(HKDF_SHA256, &salt).extract(&shared);
    let content = derive::<16>(&key, &[b"Content-Encoding: aes128gcm\0"])?;
    let nonce = derive::<12>(&key, &[b"Content-Encoding: nonce\0"])?;

    // 2: the last record.
    let mut record = [plain, &[2]].concat();
    LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &content).ok()?)
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut record)
        .ok()?;
    let length = u8::try_from(ours.as_ref().len()).ok()?;
    Some([&salt[..], &RECORD.to_be_bytes(), &[length], ours.as_ref(), &record].concat())
}
