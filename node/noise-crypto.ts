// The ciphers of Noise with key objects. Given the bytes of a key, Node 24 finds out that they are no key object by an exception, twice for each message,
// which takes three times as long as to encrypt a kilobyte (measured: 30 against 12 µs).
import { createSecretKey, type KeyObject } from 'node:crypto'
import type { ICryptoInterface } from '@chainsafe/libp2p-noise'
import { defaultCrypto, nodeCrypto } from '@chainsafe/libp2p-noise/crypto'

/** Below this noise takes WebAssembly, which needs no key object and is the faster for short messages. */
const nativeBytesMin = 1_200

// by the array that a connection keeps its key in, so that they go together
const objects = new WeakMap<Uint8Array, KeyObject>()

/** The library hands it on to Node as it is. */
function keyed(key: Uint8Array): Uint8Array {
  let object = objects.get(key)
  if (object === undefined) {
    object = createSecretKey(key)
    objects.set(key, object)
  }
  return object as unknown as Uint8Array
}

export const noiseCrypto: ICryptoInterface = {
  ...defaultCrypto,
  chaCha20Poly1305Encrypt: (plaintext, nonce, ad, key) =>
    plaintext.byteLength < nativeBytesMin ? defaultCrypto.chaCha20Poly1305Encrypt(plaintext, nonce, ad, key) : nodeCrypto.chaCha20Poly1305Encrypt(plaintext, nonce, ad, keyed(key)),
  chaCha20Poly1305Decrypt: (ciphertext, nonce, ad, key, room) =>
    ciphertext.byteLength < nativeBytesMin ? defaultCrypto.chaCha20Poly1305Decrypt(ciphertext, nonce, ad, key, room) : nodeCrypto.chaCha20Poly1305Decrypt(ciphertext, nonce, ad, keyed(key), room),
}
