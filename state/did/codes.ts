// Why a transaction about a DID is refused, and what to do then.
export const didCodes: Readonly<Record<string, string>> = {
  'did/already-registered': 'The DID is registered already, and a deactivated DID stays so. Make new keys for a new DID.',
  'did/not-self-certifying': 'The sender is not the DID of the authentication keys given. Compute the DID from those keys, in their order.',
  'did/key-not-listed': 'The key that signed is not among the authentication keys of the registration. Sign with one of them.',
  'did/registrar-missing': 'No registrar has countersigned. Have an active DID with the role registrar sign the same body.',
  'did/version-conflict': 'The DID has changed since the version named in baseVersion. Resolve it, make the change again on the current version, and send that.',
  'did/recovery-already-set': 'A recovery key is committed already; only did.recover, signed by it, may replace it.',
  'did/not-registered': 'There is no such DID. Register it first.',
  'did/deactivated': 'The DID is deactivated for good. Register a new one.',
  'did/no-recovery-key': 'No recovery key was ever committed for this DID, so it cannot be recovered. Ask a registrar for a new DID.',
  'did/recovery-key-wrong': 'The key that signed is not the committed recovery key. Sign with the recovery key.',
  'did/recovery-key-reused': 'The next recovery key is the one just used, which is public now. Commit a fresh one, or none.',
  'did/recovery-key-exposed': 'The recovery key is among the keys listed, so it would be public. Keep it apart and unused.',
  'did/recovery-key-needed': 'A recovery key is committed, so the deactivation must be signed by it: a lost phone must not end a DID.',
  'did/key-not-authorised': 'The key that signed is not an authentication key of the DID. Sign with one of them.',
  'did/holds-governor': 'The DID is a governor. Lay the role down first by governance.revokeRole.',
  'did/version-limit': 'The DID has been changed as often as is possible. Register a new one.',
}
