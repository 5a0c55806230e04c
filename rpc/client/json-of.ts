// Types of values as they stand in JSON: bytes are base64url strings, brands are gone, optional fields are absent. So an answer needs no decoding,
// and a field that a newer node adds hurts nobody.
import type { Brand } from '../../primitives/brand.ts'

export type JsonOf<T> = T extends Uint8Array
  ? string
  : T extends Brand<string, string>
    ? string
    : T extends Brand<number, string>
      ? number
      : T extends readonly (infer Item)[]
        ? readonly JsonOf<Item>[]
        : T extends object
          ? { readonly [K in keyof T]: JsonOf<T[K]> }
          : T
