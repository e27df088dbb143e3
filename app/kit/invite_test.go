package kit

import (
	"bytes"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"kvart/app"
)

func TestPress_Seal(t *testing.T) {
	t.Parallel()
	k := sample()
	k.Number, k.Expires = 0, time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)
	sealed, code, err := New().Seal(k)
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^([0-9A-HJKMNP-TV-Z]{4}-){2}[0-9A-HJKMNP-TV-Z]{4}$`).MatchString(code.Reveal()) {
		t.Fatal("the code is not of three groups of four")
	}
	noSecretsIn(t, string(sealed), k)
	now := k.Expires.Add(-time.Hour)
	got, err := New().Unseal(sealed, app.NewSecret(strings.ToLower(strings.ReplaceAll(code.Reveal(), "-", " – "))), now)
	if err != nil {
		t.Fatal(err)
	}
	sameKit(t, got, k)
	if _, err := New().Unseal(sealed, code, k.Expires); err != nil {
		t.Errorf("at its end: %v", err)
	}
	if _, err := New().Unseal(sealed, code, k.Expires.Add(time.Second)); app.CodeOf(err) != app.CodeInvitationOld {
		t.Errorf("after its end: %v", err)
	}
	other, err := newInvitationCode()
	if err != nil || other == code.Reveal() {
		t.Fatalf("another code is the same, or none: %v", err)
	}
	for name, wrong := range map[string]string{"another's": other, "none": "", "short": "ABCD-EFGH", "long": code.Reveal() + "-AAAA"} {
		_, err := New().Unseal(sealed, app.NewSecret(wrong), now)
		if app.CodeOf(err) != app.CodeInvitationWrong {
			t.Errorf("%s code: %v", name, err)
		}
		noSecretsIn(t, err.Error(), k)
		if wrong != "" && strings.Contains(err.Error(), wrong) {
			t.Errorf("the code is in %q", err)
		}
	}
}

func TestInvitationCode(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"ABCD-EFGH-JKMN": "ABCD-EFGH-JKMN", "abcdefghjkmn": "ABCD-EFGH-JKMN", " ab cd—EFGH−jkmn\n": "ABCD-EFGH-JKMN",
		"oOiI-lLuU-0000": "0011-11VV-0000", "": "", "ABCD-EFGH": "", "ABCD-EFGH-JKMN-P": "", "ÅBCD-EFGH-JKMN": "", "ABCD-EFGH-JKM!": "",
	} {
		if got, ok := invitationCode(typed); got != want || ok != (want != "") {
			t.Errorf("%q is read as %q, want %q", typed, got, want)
		}
	}
}

func TestPress_Seal_needsAnEnd(t *testing.T) {
	t.Parallel()
	if _, _, err := New().Seal(sample()); app.CodeOf(err) != app.CodeUsage {
		t.Errorf("error %v", err)
	}
	if _, _, err := New().Seal(app.Kit{Expires: time.Now()}); app.CodeOf(err) != app.CodeUsage {
		t.Errorf("error %v", err)
	}
}

// sealText makes an age file of any content, cheap to open.
func sealText(t *testing.T, code, text string, factor int) []byte {
	t.Helper()
	to, err := age.NewScryptRecipient(code)
	if err != nil {
		t.Fatal(err)
	}
	to.SetWorkFactor(factor)
	var out bytes.Buffer
	w, err := age.Encrypt(&out, to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestPress_Unseal_refuses(t *testing.T) {
	t.Parallel()
	const code = "ABCD-EFGH-JKMN"
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	k := sample()
	k.Expires = now.Add(time.Hour)
	packed, err := pack(encode(k))
	if err != nil {
		t.Fatal(err)
	}
	good := invitationHead + "1\n" + string(packed)
	open := func(sealed []byte) error {
		_, err := New().Unseal(sealed, app.NewSecret(code), now)
		return err
	}
	sealed := sealText(t, code, good, 10)
	if err := open(sealed); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(sealed); i += 7 {
		damaged := bytes.Clone(sealed)
		damaged[i] ^= 0x04
		if err := open(damaged); app.CodeOf(err) != app.CodeInvitationWrong {
			t.Errorf("byte %d changed: %v", i, err)
		}
	}
	kit := sample() // no end
	endless, err := pack(encode(kit))
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		sealed []byte
		code   app.Code
	}{
		"nothing":             {nil, app.CodeInvitationWrong},
		"no age file":         {[]byte("hello"), app.CodeInvitationWrong},
		"cut off":             {sealed[:len(sealed)-10], app.CodeInvitationWrong},
		"huge":                {make([]byte, maxInvitation+1), app.CodeInvitationWrong},
		"something else":      {sealText(t, code, "hello", 10), app.CodeInvitationWrong},
		"no payload":          {sealText(t, code, invitationHead+"1\n", 10), app.CodeInvitationWrong},
		"a damaged payload":   {sealText(t, code, good[:len(good)-40], 10), app.CodeInvitationWrong},
		"a newer version":     {sealText(t, code, invitationHead+"2\nx", 10), app.CodeGuardVersion},
		"a costly one":        {bytes.Replace(sealed, []byte(" 10\n"), []byte(" 30\n"), 1), app.CodeInvitationWrong},
		"one that never ends": {sealText(t, code, invitationHead+"1\n"+string(endless), 10), app.CodeInvitationOld},
	} {
		started := time.Now()
		if err := open(tt.sealed); app.CodeOf(err) != tt.code {
			t.Errorf("%s: %v", name, err)
		}
		if d := time.Since(started); d > 20*time.Second {
			t.Errorf("%s: %v", name, d)
		}
	}
}
