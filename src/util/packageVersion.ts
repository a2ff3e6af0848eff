/** This package's version. A constant, since a bundle has no package.json to read; test/package holds it to that of package.json. */
export const PACKAGE_VERSION = '0.1.0'
