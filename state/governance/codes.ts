// Why governance refuses, and what to do.
export const governanceCodes: Readonly<Record<string, string>> = {
  'governance/not-a-governor': 'Only governors propose and vote, each for one organisation. Ask governance_roles who they are.',
  'governance/unknown-proposal': 'There is no proposal of this number. See governance_proposals.',
  'governance/proposal-closed': 'The proposal was executed, rejected or has failed. Open a new one.',
  'governance/proposal-expired': 'The proposal was not agreed on in its time. Open a new one.',
  'governance/already-voted': 'This governor has voted on the proposal. A vote is final; open a new proposal instead.',
  'governance/expiry-out-of-range': 'expiresMs must lie after the block time and at most 30 days ahead of it.',
  'governance/beyond-reach': 'The sender’s roles do not reach this grant. Take it to a proposal.',
  'governance/holder-not-active': 'The DID is not registered or was deactivated, so it can hold no role.',
  'governance/term-past': 'untilMs lies in the past. Use a later one, or none.',
  'governance/unknown-organisation': 'The scope of a governor is the name of an organisation of this chain.',
  'governance/already-governor': 'The DID is a governor already. One DID speaks for one organisation.',
  'governance/too-many-governors': 'The organisation has as many governors as it may. Revoke one first.',
  'governance/not-held': 'The DID does not hold this role for this scope.',
  'governance/last-governor': 'An organisation keeps at least one governor. Grant the role to another first.',
}
