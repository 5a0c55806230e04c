// Why governance refuses, and what to do.
/** Of proposals, votes and roles. */
export const proposalCodes: Readonly<Record<string, string>> = {
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
  'governance/too-many-open': 'As many proposals are open as may be. Vote on them, or wait until one expires.',
}

/** Of validators, rule sets and pauses. */
export const decisionCodes: Readonly<Record<string, string>> = {
  'governance/set-change-pending': 'Another change of the validator set is agreed on and not in force yet. Vote again once it is.',
  'governance/unknown-validator': 'The set has no validator of this name. See chain_getValidators.',
  'governance/validator-twice': 'The set has a validator of this name. Every validator has a name of its own.',
  'governance/validator-key-twice': 'Another validator of the set has this key. Every node needs a key of its own.',
  'governance/set-size': 'The set would have no validator, or more than a set may have.',
  'governance/minimum-unreachable': 'The organisation would have fewer validators than every certificate needs of it, so no block could be final. Change its minimum in the same decision.',
  'governance/set-unchanged': 'The set would be what it is.',
  'governance/set-change-too-large': 'More validators would be new at once than the set can do without. Change the set in several steps.',
  'governance/set-one-organisation': 'One organisation alone could make blocks final. Set a minimum for another in the same decision.',
  'governance/rules-not-next': 'Rule sets take effect one after the other, each once. Propose the next version.',
  'governance/rules-height': 'The height lies too near for every node to know of it in time, or too far ahead.',
  'governance/family-paused': 'The family is paused already.',
  'governance/family-not-paused': 'The family is not paused.',
}

export const governanceCodes: Readonly<Record<string, string>> = { ...proposalCodes, ...decisionCodes }
