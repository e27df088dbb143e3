package kit

import (
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"kvart/app"
)

func TestCommand(t *testing.T) {
	t.Parallel()
	all := samples()
	sas := of("azure", map[string]string{"account": "a", "container": "c", "prefix": "p"}, map[string]string{"sas_token": "https://a.example/c?sv=x&y", "key": "unused"})
	password := of("sftp", map[string]string{"host": "::1", "user": "u", "path": "/p"}, map[string]string{"password": "x"})
	plain := sample()
	plain.Storage.Settings["endpoint"], plain.Storage.Settings["insecure"] = "http://localhost:9000/", ""
	plain.Storage.Settings["prefix"] = "/a"
	plain.Storage.AsOf = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, tt := range map[string]struct {
		kit  app.Kit
		want string
	}{
		"s3": {all["s3"], "s3 --bucket=blommans-livs-kvart --endpoint=s3.eu-central-003.backblazeb2.com --region=eu-central-003 --access-key=003a1b2c3d4e5f60000000001 --secret-access-key=K003" +
			keyOf(3, 27) + " --prefix=butik 1/ --readonly"},
		"s3 without encryption": {plain, "s3 --bucket=blommans-livs-kvart --endpoint=localhost:9000 --region=eu-central-003 --access-key=003a1b2c3d4e5f60000000001 --secret-access-key=K003" +
			keyOf(3, 27) + " --prefix=a/ --disable-tls --point-in-time=2026-01-02T03:04:05Z --readonly"},
		"folder":    {all["folder"], "filesystem --path=/Volumes/Butikens disk/Kvart åäö --readonly"},
		"b2":        {all["b2"], "b2 --bucket=kvart --key-id=003a1b2c3d4e5f60000000001 --key=K003" + keyOf(3, 27) + " --prefix=a/ --readonly"},
		"azure":     {all["azure"], "azure --container=kvart --storage-account=blomman --storage-key=" + keyOf(9, 86) + "== --readonly"},
		"azure sas": {sas, "azure --container=c --storage-account=a --sas-token=sv=x&y --prefix=p/ --readonly"},
		"gcs":       {all["gcs"], "gcs --bucket=kvart --credentials-file=kvart-google.json --embed-credentials --readonly"},
		"sftp": {all["sftp"], "sftp --host=u12345.your-storagebox.de --port=23 --username=u12345 --path=kvart --keyfile=kvart-ssh-key " +
			"--known-hosts-data=[u12345.your-storagebox.de]:23 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIICf9svRenC/PLKIL9nk6K/pxQgoiFC41wTNvoIncOxs --readonly"},
		"sftp with a password": {password, "sftp --host=::1 --username=u --path=/p --sftp-password=x --known-hosts=kvart-ssh-known-hosts --readonly"},
		"webdav":               {all["webdav"], "webdav --url=https://dav.example.com/kvart --webdav-username=anna --webdav-password=it's 'quoted' $HOME --readonly"},
		"rclone":               {all["rclone"], "rclone --remote-path=drive:kvart --readonly"},
	} {
		got, err := Command(tt.kit)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := "kopia repository connect " + tt.want + " --password=" + tt.kit.Passphrase.Reveal()
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s:\n got %s\nwant %s", name, s, want)
		}
	}
	if _, err := Command(all["newer"]); app.CodeOf(err) != app.CodeUsage {
		t.Errorf("an unknown kind: %v", err)
	}
}

// TestCommand_preset takes the address from a preset, which stock Kopia knows
// nothing of.
func TestCommand_preset(t *testing.T) {
	t.Parallel()
	k := sample()
	k.Storage.Settings = map[string]string{"preset": "b2", "bucket": "kvart", "access_key": "a"}
	if _, err := Command(k); app.CodeOf(err) != app.CodeUsage {
		t.Errorf("without an address: %v", err)
	}
	kinds := []app.KindSpec{
		{Kind: "b2", Presets: []app.Preset{{Key: "b2", Settings: map[string]string{"endpoint": "wrong"}}}},
		{Kind: "s3", Presets: []app.Preset{
			{Key: "aws", Settings: map[string]string{"endpoint": "wrong"}},
			{Key: "b2", Settings: map[string]string{"endpoint": "s3.{region}.backblazeb2.com"}, Regions: []string{"eu-central-003", "us-west-004"}},
		}},
	}
	argv, err := Command(k, kinds...)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(argv, "--endpoint=s3.eu-central-003.backblazeb2.com") {
		t.Errorf("got %q", argv)
	}
	text, err := New(kinds...).Text(k, "en")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"[s3.endpoint]: s3.eu-central-003.backblazeb2.com\n", "--endpoint=s3.eu-central-003.backblazeb2.com"} {
		if !strings.Contains(text.Reveal(), want) {
			t.Errorf("the text does not hold %q", want)
		}
	}
	back, err := New().Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	sameKit(t, back, k)
}

// TestShellLines lets a real shell read what is printed: the words have to be
// the same, whatever is in them and however short the lines are.
func TestShellLines(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("KVART-SKIP shell: Windows has no POSIX shell")
	}
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("KVART-SKIP shell: no sh in PATH")
	}
	words := []string{
		"kopia", "plain", "--flag=value", "=begins", "~/home", "two words", "it's", "''", `back\slash`, `"double"`, "$HOME `id` $(id)", "!history", "a;b|c&d>e<f",
		"*?[x]{a,b}", "åäö-€§", "Ж花🌷", "a\tb\nc", "100%s\\n", "", "#comment", strings.Repeat("long", 60), strings.Repeat("långt 'ord' ", 30), strings.Repeat("Ж'\\%", 40), "\xff\xfe\x01",
	}
	for _, width := range []int{30, 76, 110, 500} {
		lines := shellLines(append([]string{"printf", `%s\0`}, words...), width)
		out, err := exec.Command(sh, "-c", strings.Join(lines, "\n")).Output()
		if err != nil {
			t.Fatalf("width %d: %v\n%s", width, err, strings.Join(lines, "\n"))
		}
		if got := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00"); !slices.Equal(got, words) {
			t.Errorf("width %d: got %q\nwant %q", width, got, words)
		}
		for _, l := range lines {
			if n := len([]rune(l)); n > width && width > 30 {
				t.Errorf("width %d: a line has %d: %s", width, n, l)
			}
		}
	}
}
