#!/usr/bin/env bash
# sign.sh FILE...: signs programs for Windows, in place, and checks what it did.
#
#	KVART_SIGN_PFX            the certificate with its key, PKCS#12
#	KVART_SIGN_PASSWORD_FILE  the file with its password
#	KVART_SIGN_TIMESTAMP      where the time is certified (RFC 3161); without it
#	                          the signature ends with the certificate
#	KVART_SIGN_TEST           "1": a certificate of the moment, for tests
#
# With none of them nothing is signed.
set -euo pipefail
source "$(dirname "$0")/../release.sh"
if [ -z "${KVART_SIGN_PFX:-}" ] && [ "${KVART_SIGN_TEST:-}" != 1 ]; then
	echo "Not signed, as KVART_SIGN_PFX is not set: ${*##*/}. Windows will warn of an unknown publisher." >&2
	exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ -n "${KVART_SIGN_PFX:-}" ]; then
	with=(-pkcs12 "$KVART_SIGN_PFX" -readpass "${KVART_SIGN_PASSWORD_FILE:?the file with the password of KVART_SIGN_PFX}")
	trust=()
else
	openssl req -x509 -newkey rsa:3072 -nodes -days 30 -subj "/CN=Kvart test, trust nobody who shows this" \
		-addext extendedKeyUsage=codeSigning -keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
	with=(-certs "$work/cert.pem" -key "$work/key.pem")
	trust=(-CAfile "$work/cert.pem")
fi
stamp=()
[ -z "${KVART_SIGN_TIMESTAMP:-}" ] || stamp=(-ts "$KVART_SIGN_TIMESTAMP")
for file; do
	osslsigncode sign "${with[@]}" "${stamp[@]}" -h sha256 -n Kvart -in "$file" -out "$work/signed" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
	osslsigncode verify "${trust[@]}" -in "$work/signed" >"$work/log" 2>&1 ||
		[ -n "${KVART_SIGN_PFX:-}" ] || { cat "$work/log" >&2; exit 1; }
	chmod --reference="$file" "$work/signed"
	mv "$work/signed" "$file"
	echo "signed: ${file##*/}"
done
