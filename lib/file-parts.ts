/** Large files are read in parts of this many bytes, since Node reads at most 2^31 - 1 at once. */
export const FILE_PART: number = 2 ** 26;
