// Nominal types at no run-time cost: values that must not be mixed up get a brand the compiler checks.

declare const brand: unique symbol
export type Brand<T, Name extends string> = T & { readonly [brand]: Name }

/** A block's place in the chain, from 1; 0 is the genesis. */
export type Height = Brand<number, 'Height'>
/** The number of a PBFT view, from 0. */
export type View = Brand<number, 'View'>
/** SHA-256, 32 bytes. */
export type Hash = Brand<Uint8Array, 'Hash'>
/** Hash of the signed part of a transaction. */
export type TransactionId = Brand<Uint8Array, 'TransactionId'>
/** Milliseconds since the Unix epoch. */
export type TimeMs = Brand<number, 'TimeMs'>
/** An amount of won: an integer in [0, 2^53 − 1]. */
export type Won = Brand<number, 'Won'>
/** A decentralised identifier, `did:dongbaek:…`. */
export type Did = Brand<string, 'Did'>
