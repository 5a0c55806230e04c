// What is said of a database that does not hold.
import { DongbaekError, type ErrorData } from '../primitives/errors.ts'

export const rebuildWay = 'Nothing was changed. Rebuild this node from its peers: dongbaek resync'

/** `store/damaged` with the place of the files and the way out. */
export function damagedStore(place: string, what: string, data: ErrorData = {}, cause?: unknown): DongbaekError {
  return new DongbaekError('store/damaged', `the database in ${place} is damaged: ${what}. ${rebuildWay}`, { folder: place, ...data }, cause === undefined ? {} : { cause })
}

/** What was read whole and makes no sense is damage too; named with its place. Other errors stay what they are. */
export function asDamage(place: string, error: unknown): unknown {
  return error instanceof DongbaekError && (error.code === 'state/damaged' || error.code.startsWith('codec/')) ? damagedStore(place, error.message, error.data, error) : error
}
