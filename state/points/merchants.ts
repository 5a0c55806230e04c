// points.registerMerchant, amendMerchant, suspendMerchant, resumeMerchant: who takes points, and of which category. By an officer of all programmes.
import type { Did } from '../../primitives/brand.ts'
import { type Context, kind, type Refusal, refuse } from '../family.ts'
import { isActive } from '../did/authority.ts'
import { everyScope } from '../roles.ts'
import { checkOfficer } from './access.ts'
import { merchantAmended, merchantRegistered, merchantResumed, merchantSuspended } from './events.ts'
import { merchantTable } from './keys.ts'
import { amendMerchantPayload, type Merchant, registerMerchantPayload, resumeMerchantPayload, suspendMerchantPayload } from './types.ts'

export const registerMerchant = kind({
  kind: 'points.registerMerchant',
  summary: 'lets a DID take points as a merchant of a category',
  payload: registerMerchantPayload,
  apply: (context, { merchant, category, livingArea }) => {
    const { view, emit, transaction } = context
    const denied = checkOfficer(context, everyScope)
    if (denied !== undefined) return denied
    if (!isActive(view, merchant)) return refuse('points/unknown-did', { did: merchant })
    if (view.get(merchantTable, merchant) !== undefined) return refuse('points/merchant-exists', { merchant })
    view.put(merchantTable, [merchant], { category, livingArea, status: 'active' })
    emit(merchantRegistered({ merchant, category, livingArea, officer: transaction.sender }))
    return undefined
  },
})

/** A new category counts from the next purchase on; what was bought stays. */
export const amendMerchant = kind({
  kind: 'points.amendMerchant',
  summary: 'changes a merchant’s category or living area; fields left out stay',
  payload: amendMerchantPayload,
  apply: (context, { merchant, category, livingArea }) =>
    change(context, merchant, (before) => {
      if (category === undefined && livingArea === undefined) return refuse('points/nothing-to-amend')
      const after: Merchant = { ...before, category: category ?? before.category, livingArea: livingArea ?? before.livingArea }
      context.view.put(merchantTable, [merchant], after)
      context.emit(merchantAmended({ merchant, category: after.category, livingArea: after.livingArea, officer: context.transaction.sender }))
      return undefined
    }),
})

/** A suspended merchant sells nothing for points, still refunds, and is still paid what it is owed. */
export const suspendMerchant = kind({
  kind: 'points.suspendMerchant',
  summary: 'stops a merchant from taking points',
  payload: suspendMerchantPayload,
  apply: (context, { merchant, reason }) =>
    change(context, merchant, (before) => {
      if (before.status === 'suspended') return refuse('points/merchant-suspended', { merchant })
      const after: Merchant = { ...before, status: 'suspended' }
      context.view.put(merchantTable, [merchant], after)
      context.emit(merchantSuspended({ merchant, reason, officer: context.transaction.sender }))
      return undefined
    }),
})

export const resumeMerchant = kind({
  kind: 'points.resumeMerchant',
  summary: 'lets a suspended merchant take points again',
  payload: resumeMerchantPayload,
  apply: (context, { merchant }) =>
    change(context, merchant, (before) => {
      if (before.status === 'active') return refuse('points/merchant-active', { merchant })
      const after: Merchant = { ...before, status: 'active' }
      context.view.put(merchantTable, [merchant], after)
      context.emit(merchantResumed({ merchant, officer: context.transaction.sender }))
      return undefined
    }),
})

function change(context: Context, merchant: Did, write: (before: Merchant) => Refusal | undefined): Refusal | undefined {
  const denied = checkOfficer(context, everyScope)
  if (denied !== undefined) return denied
  const before = context.view.get(merchantTable, merchant)
  return before === undefined ? refuse('points/unknown-merchant', { merchant }) : write(before)
}
