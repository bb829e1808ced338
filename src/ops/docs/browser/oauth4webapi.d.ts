/** The package is served beside these scripts under this name. */
export * from 'oauth4webapi';
