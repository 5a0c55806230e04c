// Ed25519 (RFC 8032) under one rule, byte for byte the same on every node. Libraries differ on edge cases
// (Chalkias, Garillot, Nikolaenko, "Taming the many EdDSAs", 2020); ours is libsodium's:
//   s < L; the public key A is a canonical encoding and not of small order; R is not of small order;
//   and the cofactorless equation holds as bytes: encode([s]B − [h]A) = R, with h = SHA-512(R ‖ A ‖ M) mod L.
// The implementation is chosen by package.json "imports": native on Node, @noble/curves elsewhere.
export { keyPairFromSeed, sign, verify, type KeyPair } from '#ed25519'

export const publicKeyBytes = 32
export const signatureBytes = 64
export const seedBytes = 32
