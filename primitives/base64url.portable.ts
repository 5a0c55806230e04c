// Base64url (RFC 4648 section 5, without padding) in JavaScript, for browsers and React Native.

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

export function toBase64url(bytes: Uint8Array): string {
  let out = ''
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i
    const triple = ((bytes[i] as number) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0)
    out += (alphabet[triple >> 18] as string) + (alphabet[(triple >> 12) & 63] as string)
    if (left > 1) out += alphabet[(triple >> 6) & 63] as string
    if (left > 2) out += alphabet[triple & 63] as string
  }
  return out
}
