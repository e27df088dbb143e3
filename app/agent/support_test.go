package agent

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kvart/app"
)

// private is what must never be in what is sent to somebody who helps, by what
// it is.
func private(home string) map[string]string {
	return map[string]string{
		"password": "hemligt-lösenord", "passphrase": "mycket hemlig", "hook": "T0123/B456/abcdef", "e-mail": "asa@bjornbar.se", "another's e-mail": "kund@example.com",
		"phone": "021-12 82 22", "phone abroad": "+46701234567", "home": home, "home of somebody": "/home/asa", "home on Windows": `C:\Users\Åsa`, "bucket": "bjornbar-kopior",
		"endpoint": "s3.eu-central-003.backblazeb2.com", "shop": "Björnbär", "source": "Kassan", "computer": "ASAS-DATOR", "contact": "Maria Lind", "address": "192.168.4.17",
		"storefront": "www.bjornbar.se", "word": "rostat", "topic": "kvart-x7Qz",
	}
}

func TestSupport_holdsNothingPrivate(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	home, err := os.UserHomeDir()
	if err != nil {
		t.Skip("no home on this computer:", err)
	}
	secret := private(home)
	s.Computer = secret["computer"]
	if err := s.Store.Update(func(d *Document) error {
		d.Vault.Settings = map[string]string{"bucket": secret["bucket"], "endpoint": secret["endpoint"], "path": filepath.Join(home, "kopior")}
		d.Vault.Where = secret["bucket"]
		d.Sources[0].Settings["password_hint"] = secret["password"]
		d.Ready.Contacts = []app.Contact{{Role: "host", Name: secret["contact"], Phone: secret["phone"], Mail: secret["e-mail"]}}
		d.Watch.Storefront = &app.StorefrontSettings{URL: "https://" + secret["storefront"], Word: secret["word"]}
		d.Watch.Channels = []app.Channel{{Name: "Mobilen", Kind: app.ChannelNtfy, Where: "ntfy.sh"}, {Name: "Posten", Kind: app.ChannelMail, User: secret["e-mail"], To: []string{secret["e-mail"]}}}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	s.Recent = func() []string {
		return []string{
			`{"time":"2026-11-22T18:32:01.070123456+01:00","level":"INFO","msg":"Backed up","source":"Kassan","files":1204}`,
			`{"level":"WARN","msg":"Not read","path":"` + strings.ReplaceAll(home, `\`, `\\`) + `/Kassa/kassa.db","error":"open /home/asa/x: denied"}`,
			`{"level":"WARN","msg":"Not read","path":"C:\\Users\\Åsa\\Kassa\\kassa.db"}`,
			`{"level":"INFO","msg":"Asked","error":"Get \"https://bjornbar-kopior.s3.eu-central-003.backblazeb2.com/a?X-Amz-Signature=hemligt-l%C3%B6senord\": refused","host":"192.168.4.17:3306"}`,
			`{"level":"INFO","msg":"Alert not taken yet","error":"post https://hooks.slack.com/services/T0123/B456/abcdef","to":"kund@example.com","phone":"+46701234567","local":"070-123 45 67"}`,
			`{"level":"INFO","msg":"Björnbär: www.bjornbar.se lacks rostat, call Maria Lind at 021-12 82 22 from ASAS-DATOR via https://ntfy.sh/kvart-x7Qz"}`,
		}
	}
	b, err := s.Support(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	all := ""
	for _, f := range b.Files {
		names = append(names, f.Name)
		all += f.Text
		for what, word := range secret {
			if strings.Contains(strings.ToLower(f.Text), strings.ToLower(word)) {
				t.Errorf("%s holds the %s:\n%s", f.Name, what, f.Text)
			}
		}
	}
	if got := strings.Join(names, " "); got != "about.txt settings.json status.json log.txt" {
		t.Errorf("files %s", got)
	}
	// What helps is still there.
	for _, want := range []string{"test", `"verdict": "unknown"`, `"kind": "fake"`, "Backed up", `"files":1204`, "[source-1]", "2026-11-22T18:32:01+01:00", "denied", `"ntfy"`} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is missing in:\n%s", want, all)
		}
	}
	if strings.Contains(all, "070-123 45 67") {
		t.Error("a telephone number that nobody knows of is there")
	}
	if b.Logs != s.dir {
		t.Errorf("logs are in %s", b.Logs)
	}
	if _, err := b.Zip(s.Now()); err != nil {
		t.Error(err)
	}
}

// TestSupport_withoutAVault: help is needed most where nothing works yet.
func TestSupport_withoutAVault(t *testing.T) {
	t.Parallel()
	s := newShopTest(t).another("Ny")
	b, err := s.Support(t.Context())
	if err != nil || len(b.Files) != 4 {
		t.Errorf("%d files, %v", len(b.Files), err)
	}
}

func TestSettings_choicesThereAreNot(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	for field, set := range map[string]app.Settings{
		"theme": {Theme: "pink"}, "onBattery": {OnBattery: "perhaps"}, "onMetered": {OnMetered: "perhaps"}, "muted": {Muted: []app.NoticeKind{app.NoticeFailed}},
	} {
		var e *app.Error
		if err := s.SetSettings(t.Context(), set); !errors.As(err, &e) || e.Code != app.CodeUsage || e.Args["field"] != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	want := app.Settings{Theme: app.ThemeDark, OnBattery: app.PowerWait, OnMetered: app.PowerHosted, Muted: []app.NoticeKind{app.NoticeDrill}}
	if err := s.SetSettings(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	st, err := s.Status(t.Context())
	if err != nil || st.Theme != app.ThemeDark {
		t.Errorf("theme %q, %v", st.Theme, err)
	}
}
