// Base64url (RFC 4648 section 5, without padding) by Node's own: ids and references become keys of maps by it a dozen times on a transaction's way.

export function toBase64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64url')
}
