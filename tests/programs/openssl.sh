# openssl: digests, encryption and back, keys of a fixed kind, signatures, certificates.
# PACKAGES: openssl
. "$LOAM_ROOT/tests/runner/programs.sh"
need openssl openssl
make_words 100000 >"$input/words"
for digest in md5 sha1 sha256 sha512 sha3-256 blake2b512; do
    good "dgst_$digest" openssl dgst "-$digest" "$input/words"
done
for cipher in aes-256-cbc aes-128-ctr chacha20 camellia-192-cbc; do
    good "enc_$cipher" bash -c "openssl enc -$cipher -K 00112233445566778899aabbccddeeff0011223344556677 -iv 0102030405060708090a0b0c0d0e0f10 -in '$input/words' -out words.enc 2>/dev/null || openssl enc -$cipher -pbkdf2 -S 0102030405060708 -pass pass:loam -in '$input/words' -out words.enc"
done
good enc_back bash -c "openssl enc -aes-256-cbc -pbkdf2 -S 0102030405060708 -pass pass:loam -in '$input/words' -out w.enc && openssl enc -d -aes-256-cbc -pbkdf2 -S 0102030405060708 -pass pass:loam -in w.enc | cmp - '$input/words'"
good base64 bash -c "openssl base64 -in '$input/words' | openssl base64 -d | cmp - '$input/words' && openssl base64 -in '$input/words'"
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$input/key.pem" 2>/dev/null || fail "no key"
good sign bash -c "openssl dgst -sha256 -sign '$input/key.pem' -out s '$input/words' && openssl pkey -in '$input/key.pem' -pubout -out p && openssl dgst -sha256 -verify p -signature s '$input/words'"
good text openssl pkey -in "$input/key.pem" -text -noout
# a key made on Loam is new each time: it must be good
on_loam openssl req -x509 -newkey rsa:2048 -nodes -keyout k.pem -out c.pem -subj /CN=loam -days 2 2>/dev/null || fail "req"
openssl verify -CAfile c.pem c.pem || fail "the certificate made on Loam is not good"
