# Writes OUTPUT, a C++ file that defines the bytes of INPUT as
# `extern const unsigned char NAME[]` and their number as `extern const unsigned long NAMESize`.
file(READ ${INPUT} hex HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
file(SIZE ${INPUT} size)
file(WRITE ${OUTPUT} "extern const unsigned char ${NAME}[];\n"
  "extern const unsigned long ${NAME}Size;\n"
  "const unsigned char ${NAME}[] = {${bytes}};\n"
  "const unsigned long ${NAME}Size = ${size};\n")
