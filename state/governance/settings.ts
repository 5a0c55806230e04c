// What families let be set, besides the parameters of the chain: the rules read them at the moment of each transaction.
import { settingsTable as communityTable } from '../community/keys.ts'
import { readSettings as readCommunity } from '../community/settings.ts'
import { changedSettings as changedCommunity, type SettingsChange as CommunityChange } from '../community/types.ts'
import type { BlockContext } from '../family.ts'
import { readSettings as readReservations } from '../reservation/absences.ts'
import { settingsTable as reservationTable } from '../reservation/keys.ts'
import { changedSettings as changedReservations, type SettingsChange as ReservationChange } from '../reservation/types.ts'
import { communitySet, reservationsSet } from './events.ts'

/** Those that the change names; the event shows all, as they are now. */
export function changeReservations({ view, emit }: BlockContext, { settings: change }: { readonly settings: ReservationChange }): undefined {
  const settings = changedReservations(readReservations(view), change)
  view.put(reservationTable, ['current'], settings)
  emit(reservationsSet({ settings }))
}

export function changeCommunity({ view, emit }: BlockContext, { settings: change }: { readonly settings: CommunityChange }): undefined {
  const settings = changedCommunity(readCommunity(view), change)
  view.put(communityTable, ['current'], settings)
  emit(communitySet({ settings }))
}
