import { PACKAGE_NAME, PACKAGE_VERSION } from '../../util/packageVersion.js'

/** What brokers show of their clients (KIP-511): letters, digits, dots and dashes. */
export const SOFTWARE = { clientSoftwareName: PACKAGE_NAME, clientSoftwareVersion: PACKAGE_VERSION }
