// Base58btc, the `z…` of multibase, which a Multikey is published in. Quadratic in the length, so for keys only.
const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

/** Multibase with the prefix `z`. */
export function toMultibase(bytes: Uint8Array): string {
  let zeros = 0
  while (zeros < bytes.length && bytes[zeros] === 0) zeros++
  // digits in base 58, least first
  const digits: number[] = []
  for (const byte of bytes.subarray(zeros)) {
    let carry = byte
    for (let i = 0; i < digits.length; i++) {
      carry += (digits[i] as number) * 256
      digits[i] = carry % 58
      carry = Math.floor(carry / 58)
    }
    for (; carry > 0; carry = Math.floor(carry / 58)) digits.push(carry % 58)
  }
  return `z${'1'.repeat(zeros)}${digits.reverse().map((digit) => alphabet[digit]).join('')}`
}

const digitOf = new Map(Array.from(alphabet, (character, i) => [character, i]))

/** The bytes of base58btc multibase of at most `charactersMax` characters; undefined for anything else. */
export function fromMultibase(text: string, charactersMax: number): Uint8Array | undefined {
  if (text.length > charactersMax || text[0] !== 'z') return undefined
  const digits = text.slice(1)
  let zeros = 0
  while (zeros < digits.length && digits[zeros] === '1') zeros++
  // bytes in base 256, least first
  const bytes: number[] = []
  for (const character of digits.slice(zeros)) {
    let carry = digitOf.get(character)
    if (carry === undefined) return undefined
    for (let i = 0; i < bytes.length; i++) {
      carry += (bytes[i] as number) * 58
      bytes[i] = carry & 0xff
      carry >>= 8
    }
    for (; carry > 0; carry >>= 8) bytes.push(carry & 0xff)
  }
  return Uint8Array.from([...new Array<number>(zeros).fill(0), ...bytes.reverse()])
}
