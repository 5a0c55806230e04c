// Why a transaction about credentials, or one that shows an attestation, is refused, and what to do then.
export const credentialCodes: Readonly<Record<string, string>> = {
  'credential/not-issuer': 'The sender does not hold the role issuer for the scope named. Ask for it by a governance proposal, or name the scope that it holds.',
  'credential/issuer-not-registered': 'The sender holds no role issuer for every scope, and has not registered itself for one. Send credential.registerIssuer first.',
  'credential/schema-exists': 'This version of the schema is registered already and never changes. Register the next version.',
  'credential/schema-version-gap': 'Versions of a schema follow each other from 1. Register the version named in the data.',
  'credential/anchor-exists': 'The hash at the index named is anchored already. Leave it out; a new credential needs a new salt.',
  'credential/list-of-other': 'The status list belongs to another issuer. Use a list of your own, under another name.',
  'credential/list-purpose': 'The status list was made for another purpose. Name that purpose, or use another list.',
  'credential/revocation-final': 'A revocation is for good and cannot be taken back. Issue a new credential.',
  'credential/status-unchanged': 'Every index has this status already. Nothing was changed.',
  'credential/attestation-purpose': 'The attestation was made for another purpose. Ask the issuer for one for this programme or course.',
  'credential/attestation-subject': 'The attestation speaks of another DID than the sender. Ask the issuer for one for this DID.',
  'credential/attestation-expired': 'The attestation has expired. Ask the issuer for a new one.',
  'credential/attestation-issuer': 'The DID that made the attestation does not hold the role issuer for this programme or course.',
  'credential/attestation-key': 'The key of the attestation is not an assertionMethod key of its issuer’s DID, or that DID is deactivated. Ask for a new one.',
  'credential/attestation-withdrawn': 'The issuer has withdrawn the attestation, or its status list is not the issuer’s. Ask the issuer why.',
  'credential/attestation-signature': 'The signature of the attestation does not verify: it was changed, or made for another chain.',
}
