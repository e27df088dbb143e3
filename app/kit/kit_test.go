package kit

import (
	"encoding/base64"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"kvart/app"
)

// noise returns bytes that don't compress, the same for the same seed.
func noise(seed uint64, n int) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.UintN(256))
	}
	return b
}

// keyOf returns a key of n letters and digits.
func keyOf(seed uint64, n int) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	out := noise(seed, n)
	for i, b := range out {
		out[i] = alphabet[b%64]
	}
	return string(out)
}

// formatBlob is as large as what Kopia 0.23.1 keeps in kopia.repository, and
// looks like it.
func formatBlob() []byte {
	return []byte("{\n  \"tool\": \"https://github.com/kopia/kopia\",\n  \"buildVersion\": \"v0.23.1\",\n  \"buildInfo\": \"-(unknown_revision)\",\n  \"uniqueID\": \"" +
		base64.StdEncoding.EncodeToString(noise(1, 32)) + "\",\n  \"keyAlgo\": \"scrypt-65536-8-1\",\n  \"encryption\": \"AES256_GCM\",\n  \"encryptedBlockFormat\": \"" +
		base64.StdEncoding.EncodeToString(noise(2, 548)) + "\"\n}")
}

// sample is the kit of a shop like any other.
func sample() app.Kit {
	return app.Kit{
		Number: 3, Made: time.Date(2026, 11, 22, 9, 30, 5, 123456789, time.UTC),
		Shop: "Blommans Livs & Bageri", VaultID: "0b5e4c1a77aa4d7c9a2e3f1d6f2b9c10",
		Storage: app.StorageSpec{
			Kind: "s3",
			Settings: map[string]string{
				"endpoint": "s3.eu-central-003.backblazeb2.com", "bucket": "blommans-livs-kvart", "region": "eu-central-003",
				"prefix": "butik 1/", "access_key": "003a1b2c3d4e5f60000000001", "insecure": "false",
			},
			Secrets: app.Secrets{"secret_key": app.NewSecret("K003" + keyOf(3, 27))},
		},
		Passphrase: app.NewSecret("korg lampa 7842 åska-måne 0O1lI"),
		Blobs:      map[string][]byte{"kopia.repository": formatBlob(), "kopia.blobcfg": noise(4, 30)},
	}
}

// privateKey is as long as an SSH key of the newer kind.
func privateKey() string {
	return "-----BEGIN OPENSSH PRIVATE KEY-----\n" +
		strings.Join(split(base64.StdEncoding.EncodeToString(noise(5, 220)), 70), "\n") +
		"\n-----END OPENSSH PRIVATE KEY-----\n"
}

// longest is a kit with everything as long as it gets.
func longest() app.Kit {
	k := sample()
	k.Number = 128
	k.Shop = strings.Repeat("Andersson & Pettersson Blomsterhandel och Trädgård i Östersund ", 3)
	k.Storage.Settings["bucket"] = strings.Repeat("abcdefghi-", 6) + "xyz"
	k.Storage.Settings["endpoint"] = "a-very-long-name-of-a-storage-endpoint.s3.dualstack.eu-north-1.amazonaws.com"
	k.Storage.Settings["access_key"] = keyOf(6, 64)
	k.Storage.Secrets["secret_key"] = app.NewSecret(keyOf(7, 64))
	k.Passphrase = app.NewSecret(keyOf(8, 120))
	return k
}

// of returns a kit of another kind of storage.
func of(kind app.Kind, settings, secrets map[string]string) app.Kit {
	k := sample()
	k.Storage = app.StorageSpec{Kind: kind, Settings: settings, Secrets: app.Secrets{}}
	for key, v := range secrets {
		k.Storage.Secrets[key] = app.NewSecret(v)
	}
	return k
}

// samples is a kit of every kind of storage, and odd ones.
func samples() map[string]app.Kit {
	odd := sample()
	odd.Shop = "Łódź 🌷 花店"
	odd.Passphrase = app.NewSecret("  två [s3.bucket]: <U+0041> \t\n'x' “q” – ж \xff\u0301\u00a0> | ")
	odd.Storage.Settings["bucket"] = "x > y | z [s3.prefix]: " + strings.Repeat("long ", 30)
	odd.Storage.AsOf = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	odd.Expires = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	least := app.Kit{Storage: app.StorageSpec{Kind: "folder", Settings: map[string]string{"path": "/m"}}, Passphrase: app.NewSecret("p")}
	return map[string]app.Kit{
		"s3": sample(), "longest": longest(), "odd": odd, "least": least,
		"folder": of("folder", map[string]string{"path": "/Volumes/Butikens disk/Kvart åäö"}, nil),
		"b2":     of("b2", map[string]string{"bucket": "kvart", "prefix": "a", "key_id": "003a1b2c3d4e5f60000000001"}, map[string]string{"key": "K003" + keyOf(3, 27)}),
		"azure":  of("azure", map[string]string{"account": "blomman", "container": "kvart"}, map[string]string{"key": keyOf(9, 86) + "=="}),
		"gcs":    of("gcs", map[string]string{"bucket": "kvart"}, map[string]string{"credentials": `{"type": "service_account", "private_key": "` + keyOf(10, 1700) + `"}`}),
		"sftp": of("sftp", map[string]string{
			"host": "u12345.your-storagebox.de", "port": "23", "user": "u12345", "path": "~/kvart",
			"host_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIICf9svRenC/PLKIL9nk6K/pxQgoiFC41wTNvoIncOxs",
		}, map[string]string{"private_key": privateKey(), "key_passphrase": "lås upp"}),
		"webdav": of("webdav", map[string]string{"url": "dav.example.com/kvart", "user": "anna"}, map[string]string{"password": "it's 'quoted' $HOME"}),
		"rclone": of("rclone", map[string]string{"remote": "drive:kvart"}, nil),
		"newer":  of("tape", map[string]string{"drive": "2", "A.b": "c"}, map[string]string{"pin": "1234"}),
	}
}

func TestPress_Text_isReadBack(t *testing.T) {
	t.Parallel()
	for name, k := range samples() {
		for _, language := range languagesOf(name) {
			t.Run(name+" "+language, func(t *testing.T) {
				t.Parallel()
				text, err := New().Text(k, language)
				if err != nil {
					t.Fatal(err)
				}
				got, err := New().Parse(text)
				if err != nil {
					t.Fatal(err)
				}
				sameKit(t, got, k)
				checkTyped(t, text.Reveal(), k)
				for line := range strings.SplitSeq(text.Reveal(), "\n") {
					if n := len([]rune(line)); n > textWidth && !strings.Contains(line, "'\\''") {
						t.Errorf("a line has %d characters: %q", n, line)
					}
					if strings.Contains(line, "⟦") || strings.Contains(line, "<no value>") {
						t.Errorf("a text is missing: %q", line)
					}
				}
			})
		}
	}
}

// languagesOf spares most samples the second language.
func languagesOf(name string) []string {
	if name == "s3" || name == "odd" {
		return []string{"en", "sv"}
	}
	return []string{"sv"}
}

func TestPress_Text_isTheSame(t *testing.T) {
	t.Parallel()
	a, err := New().Text(longest(), "sv")
	if err != nil {
		t.Fatal(err)
	}
	if b, err := New().Text(longest(), "sv"); err != nil || a != b {
		t.Errorf("two texts of one kit differ: %v", err)
	}
}

func sameKit(t *testing.T, got, want app.Kit) {
	t.Helper()
	if !got.Made.Equal(want.Made) || !got.Expires.Equal(want.Expires) || !got.Storage.AsOf.Equal(want.Storage.AsOf) {
		t.Errorf("times %v %v %v, want %v %v %v", got.Made, got.Expires, got.Storage.AsOf, want.Made, want.Expires, want.Storage.AsOf)
	}
	for _, k := range []*app.Kit{&got, &want} {
		k.Made, k.Expires, k.Storage.AsOf = time.Time{}, time.Time{}, time.Time{}
		if len(k.Storage.Secrets) == 0 {
			k.Storage.Secrets = nil
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %#v, want %#v", got, want)
	}
}

func TestPress_Text_refusesWhatOpensNothing(t *testing.T) {
	t.Parallel()
	for _, k := range []app.Kit{{}, {Passphrase: app.NewSecret("x")}, {Storage: app.StorageSpec{Kind: "s3"}}} {
		if _, err := New().Text(k, "en"); app.CodeOf(err) != app.CodeUsage {
			t.Errorf("text: %v", err)
		}
		if _, err := New().PDF(k, "en"); app.CodeOf(err) != app.CodeUsage {
			t.Errorf("PDF: %v", err)
		}
	}
	k := sample()
	k.Blobs["much"] = noise(1, maxPayload)
	if _, err := New().Text(k, "en"); app.CodeOf(err) != app.CodeUsage {
		t.Errorf("too much: %v", err)
	}
}

// TestPress_Code changes one thing after the other: the code has to change
// with each.
func TestPress_Code(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for name, change := range map[string]func(*app.Kit){
		"nothing":    func(*app.Kit) {},
		"number":     func(k *app.Kit) { k.Number++ },
		"made":       func(k *app.Kit) { k.Made = k.Made.Add(1) },
		"shop":       func(k *app.Kit) { k.Shop += "." },
		"vault":      func(k *app.Kit) { k.VaultID += "." },
		"kind":       func(k *app.Kit) { k.Storage.Kind = "b2" },
		"setting":    func(k *app.Kit) { k.Storage.Settings["bucket"] += "." },
		"secret":     func(k *app.Kit) { k.Storage.Secrets["secret_key"] = app.NewSecret("x") },
		"name":       func(k *app.Kit) { k.Storage.Secrets["password"] = k.Storage.Secrets["secret_key"] },
		"passphrase": func(k *app.Kit) { k.Passphrase = app.NewSecret("x") },
		"blob":       func(k *app.Kit) { k.Blobs["kopia.blobcfg"][3] ^= 1 },
		"expires":    func(k *app.Kit) { k.Expires = k.Made },
		"as of":      func(k *app.Kit) { k.Storage.AsOf = k.Made },
	} {
		k := sample()
		change(&k)
		code := New().Code(k)
		if other, ok := seen[code]; ok {
			t.Errorf("%s and %s have the same code", name, other)
		}
		seen[code] = name
		if len(code) != codeLength+1 || code[4] != '-' || strings.Trim(code, codeLetters+"-") != "" {
			t.Errorf("code %q", code)
		}
	}
	k := sample()
	k.Made = k.Made.In(time.FixedZone("elsewhere", 3600))
	if New().Code(k) != New().Code(sample()) {
		t.Error("the code depends on the time zone")
	}
	if want := "CRK4-TQAH"; New().Code(sample()) != want {
		t.Errorf("the code of a kit printed earlier was %s, is %s", want, New().Code(sample()))
	}
}

func TestSameCode(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"ABCD-EFGH", "abcdefgh", true},
		{"ABCD-EFGH", " abcd – efgh\u200b\n", true},
		{"ABCD-EFGH", "AB CD−EF GH", true},
		{"ABCD-EFGH", "ABCD-EFGJ", false},
		{"ABCD-EFGH", "ABCD-EFG", false},
		{"ABCD-EFGH", "", false},
		{"", "", false},
		{"-", " ", false},
	} {
		if got := SameCode(tt.a, tt.b); got != tt.want {
			t.Errorf("SameCode(%q, %q) = %v", tt.a, tt.b, got)
		}
	}
}

func TestCodeLetters(t *testing.T) {
	t.Parallel()
	for i, r := range codeLetters {
		if strings.ContainsRune(codeLetters[i+1:], r) {
			t.Errorf("%c is there twice", r)
		}
	}
	for _, alike := range []string{"0OQ", "0OD", "1ILJ", "2Z", "5S", "8B", "6G", "UV"} {
		both := ""
		for _, r := range alike {
			if strings.ContainsRune(codeLetters, r) {
				both += string(r)
			}
		}
		if len(both) > 1 {
			t.Errorf("%s look alike", both)
		}
	}
}
