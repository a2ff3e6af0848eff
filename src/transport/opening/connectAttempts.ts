import { type Address, addressKey } from '../address.js'
import { ConnectProgress } from './connectProgress.js'

/** The attempts to connect, or to log in again, that are under way, in the order in which they began. */
export class ConnectAttempts {
  readonly #underWay = new Set<ConnectProgress>()

  begin(address: Address): ConnectProgress {
    const progress = new ConnectProgress(address)
    this.#underWay.add(progress)
    return progress
  }

  end(progress: ConnectProgress): void {
    this.#underWay.delete(progress)
  }

  /** What the oldest one waits for; undefined where none is under way. @param address default: any */
  pending(address?: Address): Error | undefined {
    for (const progress of this.#underWay) {
      if (address === undefined || addressKey(progress.address) === addressKey(address))
        return progress.pending()
    }
    return undefined
  }
}
