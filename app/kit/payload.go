package kit

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"kvart/app"
)

// maxPayload bounds a kit's content, so that a few crafted lines can't unpack
// to more than memory holds. A real one has one to four kilobytes.
const maxPayload = 64 << 10

// Keys of a payload's entries. They are part of the format: add, never rename.
// Who reads ignores those it does not know; what must not be ignored makes a
// new version.
const (
	keyNumber     = "number"
	keyMade       = "made"
	keyExpires    = "expires"
	keyShop       = "shop"
	keyVault      = "vault"
	keyKind       = "kind"
	keyAsOf       = "asof"
	keyPassphrase = "passphrase"

	// These go on with the name of what they hold.
	keySetting = "set:"
	keySecret  = "sec:"
	keyBlob    = "blob:"
)

// dictionary primes the compression with what kits are made of. It is part of
// the format, to the letter.
const dictionary = "-----BEGIN OPENSSH PRIVATE KEY-----\n-----END OPENSSH PRIVATE KEY-----\n" +
	"{\n  \"type\": \"service_account\",\n  \"project_id\": \"\",\n  \"private_key_id\": \"\",\n  \"private_key\": \"-----BEGIN PRIVATE KEY-----\\n\\n-----END PRIVATE KEY-----\\n\",\n" +
	"  \"client_email\": \".iam.gserviceaccount.com\",\n  \"client_id\": \"\",\n  \"auth_uri\": \"https://accounts.google.com/o/oauth2/auth\",\n" +
	"  \"token_uri\": \"https://oauth2.googleapis.com/token\",\n  \"auth_provider_x509_cert_url\": \"https://www.googleapis.com/oauth2/v1/certs\",\n" +
	"  \"client_x509_cert_url\": \"https://www.googleapis.com/robot/v1/metadata/x509/\",\n  \"universe_domain\": \"googleapis.com\"\n}\n" +
	"set:url https://sec:password set:user set:host set:port 22 set:host_key ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI ssh-rsa AAAAB3NzaC1yc2E sec:private_key " +
	"set:remote set:account set:container sec:sas sec:key set:key_id sec:credentials sftp webdav rclone azure gcs b2 folder set:path /media/ " +
	"set:preset aws backblaze wasabi hetzner scaleway cloudflare minio custom set:insecure true false " +
	"amazonaws.com backblazeb2.com wasabisys.com your-objectstorage.com us-east-1 eu-north-1 eu-central-1 eu-central-003 eu-west-1 s3. " +
	"sec:secret_key set:access_key set:region set:prefix kvart/ set:bucket backup set:endpoint " +
	"passphrase asof kind s3 vault shop expires made number " +
	"blob:kopia.blobcfg blob:kopia.repository {\n  \"tool\": \"https://github.com/kopia/kopia\",\n  \"buildVersion\": \"v0.23.1\",\n  \"buildInfo\": \"-(unknown_revision)\",\n" +
	"  \"uniqueID\": \"\",\n  \"keyAlgo\": \"scrypt-65536-8-1\",\n  \"encryption\": \"AES256_GCM\",\n  \"encryptedBlockFormat\": \"\"\n}"

var errPayload = errors.New("kit's content is not well-formed")

// encode returns a kit as bytes: the same for equal kits, whatever computer
// and whatever version of Go.
func encode(k app.Kit) []byte {
	var b []byte
	add := func(key, value string) {
		b = binary.AppendUvarint(b, uint64(len(key)))
		b = append(b, key...)
		b = binary.AppendUvarint(b, uint64(len(value)))
		b = append(b, value...)
	}
	put := func(key, value string) {
		if value != "" {
			add(key, value)
		}
	}
	if k.Number > 0 {
		put(keyNumber, string(binary.AppendUvarint(nil, uint64(k.Number))))
	}
	put(keyMade, encodeTime(k.Made))
	put(keyExpires, encodeTime(k.Expires))
	put(keyShop, k.Shop)
	put(keyVault, k.VaultID)
	put(keyKind, string(k.Storage.Kind))
	put(keyAsOf, encodeTime(k.Storage.AsOf))
	for _, key := range slices.Sorted(maps.Keys(k.Storage.Settings)) {
		add(keySetting+key, k.Storage.Settings[key])
	}
	for _, key := range slices.Sorted(maps.Keys(k.Storage.Secrets)) {
		add(keySecret+key, k.Storage.Secrets[key].Reveal())
	}
	put(keyPassphrase, k.Passphrase.Reveal())
	for _, key := range slices.Sorted(maps.Keys(k.Blobs)) {
		add(keyBlob+key, string(k.Blobs[key]))
	}
	return b
}

func encodeTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	b := binary.AppendVarint(nil, t.Unix())
	return string(binary.AppendUvarint(b, uint64(t.Nanosecond())))
}

func decodeTime(s string) (time.Time, error) {
	sec, n := binary.Varint([]byte(s))
	if n <= 0 {
		return time.Time{}, errPayload
	}
	nsec, m := binary.Uvarint([]byte(s[n:]))
	if m <= 0 || n+m != len(s) || nsec >= uint64(time.Second) {
		return time.Time{}, errPayload
	}
	return time.Unix(sec, int64(nsec)).UTC(), nil
}

// decode is the reverse of encode. A map without entries is not told from none.
func decode(b []byte) (app.Kit, error) {
	var k app.Kit
	seen := map[string]bool{}
	for len(b) > 0 {
		var key, value string
		var err error
		if key, b, err = cut(b); err != nil {
			return app.Kit{}, err
		}
		if value, b, err = cut(b); err != nil {
			return app.Kit{}, err
		}
		if seen[key] {
			return app.Kit{}, errPayload
		}
		seen[key] = true
		if err := set(&k, key, value); err != nil {
			return app.Kit{}, err
		}
	}
	if k.Storage.Kind == "" || k.Passphrase.IsZero() {
		return app.Kit{}, errPayload
	}
	return k, nil
}

// cut takes a string with its length off the front.
func cut(b []byte) (string, []byte, error) {
	size, n := binary.Uvarint(b)
	if n <= 0 || size > uint64(len(b)-n) {
		return "", nil, errPayload
	}
	end := n + int(size)
	return string(b[n:end]), b[end:], nil
}

// set sets the field of a kit that an entry is for.
func set(k *app.Kit, key, value string) (err error) {
	switch key {
	case keyNumber:
		n, size := binary.Uvarint([]byte(value))
		if size != len(value) || n > 1<<30 {
			return errPayload
		}
		k.Number = int(n)
	case keyMade:
		k.Made, err = decodeTime(value)
	case keyExpires:
		k.Expires, err = decodeTime(value)
	case keyShop:
		k.Shop = value
	case keyVault:
		k.VaultID = value
	case keyKind:
		k.Storage.Kind = app.Kind(value)
	case keyAsOf:
		k.Storage.AsOf, err = decodeTime(value)
	case keyPassphrase:
		k.Passphrase = app.NewSecret(value)
	default:
		setNamed(k, key, value)
	}
	return err
}

func setNamed(k *app.Kit, key, value string) {
	if name, ok := strings.CutPrefix(key, keySetting); ok {
		if k.Storage.Settings == nil {
			k.Storage.Settings = map[string]string{}
		}
		k.Storage.Settings[name] = value
	} else if name, ok := strings.CutPrefix(key, keySecret); ok {
		if k.Storage.Secrets == nil {
			k.Storage.Secrets = app.Secrets{}
		}
		k.Storage.Secrets[name] = app.NewSecret(value)
	} else if name, ok := strings.CutPrefix(key, keyBlob); ok {
		if k.Blobs == nil {
			k.Blobs = map[string][]byte{}
		}
		k.Blobs[name] = []byte(value)
	}
}

// pack compresses a payload.
func pack(payload []byte) ([]byte, error) {
	if len(payload) > maxPayload {
		return nil, app.Errorf(app.CodeUsage, "write kit", "%d bytes are too many", len(payload))
	}
	var out bytes.Buffer
	w, err := flate.NewWriterDict(&out, flate.BestCompression, []byte(dictionary))
	if err != nil {
		return nil, fmt.Errorf("compress kit: %w", err)
	}
	if _, err = w.Write(payload); err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("compress kit: %w", err)
	}
	return out.Bytes(), nil
}

// unpack is the reverse of pack.
func unpack(b []byte) ([]byte, error) {
	r := flate.NewReaderDict(bytes.NewReader(b), []byte(dictionary))
	out, err := io.ReadAll(io.LimitReader(r, maxPayload+1))
	if err != nil || len(out) > maxPayload {
		return nil, errPayload
	}
	return out, nil
}
