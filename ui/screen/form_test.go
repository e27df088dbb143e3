package screen

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"kvart/app"
	"kvart/ui/uitest"
)

// formRig is a form in a window of its own.
type formRig struct {
	*Form
	t       *testing.T
	c       fyne.Canvas
	changes int
	file    string // what the file dialog chooses
}

func newFormRig(t *testing.T, spec app.KindSpec, fill Filling) *formRig {
	t.Helper()
	test.NewTempApp(t)
	r := &formRig{t: t}
	env := Env{Words: english(t), Go: func(work func(context.Context) func()) { work(t.Context())() }}
	env.ChooseFile = func(done func(string)) { done(r.file) }
	r.Form = NewForm(env, "storage", spec, fill)
	r.OnChanged = func() { r.changes++ }
	w := test.NewTempWindow(t, r.Object())
	w.Resize(fyne.NewSize(600, 900))
	r.c = w.Canvas()
	return r
}

// every asks for one field of every kind.
func every() app.KindSpec {
	return app.KindSpec{Kind: "x", Fields: []app.Field{
		{Key: "name", Type: app.FieldText, Required: true},
		{Key: "speed", Type: app.FieldChoice, Choices: []string{"slow", "fast"}, Default: "slow"},
		{Key: "maybe", Type: app.FieldChoice, Choices: []string{"one"}},
		{Key: "port", Type: app.FieldNumber, Default: "22", Advanced: true},
		{Key: "key", Type: app.FieldSecret, Multiline: true},
		{Key: "hidden", Type: app.FieldText, Required: true},
	}}
}

func TestForm_fieldTypes(t *testing.T) {
	r := newFormRig(t, every(), Filling{Hide: []string{"hidden"}})
	if r.Complete() {
		t.Error("complete without a name")
	}
	uitest.Write(t, r.c, 0, " kvart ")
	uitest.Choose(t, r.c, "⟦storage.x.field.speed.fast⟧")
	if got := r.Settings(); got["name"] != "kvart" || got["speed"] != "fast" || got["port"] != "22" || len(got) != 3 || !r.Complete() {
		t.Errorf("%v, complete %v", got, r.Complete())
	}
	n := len(uitest.Fields(r.c))
	uitest.Press(t, r.c, "More settings")
	if len(uitest.Fields(r.c)) != n+1 {
		t.Error("the settings few need do not come into view")
	}
	uitest.Write(t, r.c, n, "2x2")
	if r.Complete() || !uitest.Sees(r.c, "Write a whole number") {
		t.Error("nonsense passes for a number")
	}
	uitest.Write(t, r.c, n, "2022")
	if !r.Complete() || uitest.Sees(r.c, "Write a whole number") || r.Settings()["port"] != "2022" {
		t.Errorf("%v", r.Settings())
	}
	uitest.Press(t, r.c, "Fewer settings")
	if len(uitest.Fields(r.c)) != n || r.Settings()["port"] != "2022" {
		t.Error("what is hidden is lost")
	}
}

func TestForm_whatWasFilledInIsNotHidden(t *testing.T) {
	r := newFormRig(t, every(), Filling{Settings: map[string]string{"port": "2022"}})
	if !uitest.Sees(r.c, "2022") {
		t.Error("a setting that is not the usual one is hidden")
	}
	r = newFormRig(t, every(), Filling{})
	r.Reveal("port")
	if !uitest.Sees(r.c, "22") {
		t.Error("the field an error is about is hidden")
	}
}

func TestForm_secretOfManyLines(t *testing.T) {
	r := newFormRig(t, every(), Filling{})
	r.file = filepath.Join(t.TempDir(), "id_ed25519")
	uitest.Press(t, r.c, "Choose a file…")
	if !uitest.Sees(r.c, "id_ed25519 couldn't be read as text") {
		t.Error("a missing file goes unnoticed")
	}
	if err := os.WriteFile(r.file, []byte("-----BEGIN-----\nabc\n-----END-----"), 0o600); err != nil {
		t.Fatal(err)
	}
	uitest.Press(t, r.c, "Choose a file…")
	if got := r.Secrets()["key"].Reveal(); got != "-----BEGIN-----\nabc\n-----END-----\n" {
		t.Errorf("%q", got)
	}
	if uitest.Sees(r.c, "abc") {
		t.Error("the secret is shown")
	}
	uitest.Press(t, r.c, "Fill in again")
	if len(r.Secrets()) != 0 {
		t.Error("the old secret stays")
	}
	r = newFormRig(t, every(), Filling{Secrets: app.Secrets{"key": app.NewSecret("abc")}})
	if uitest.Sees(r.c, "abc") || r.Secrets()["key"].Reveal() != "abc\n" {
		t.Errorf("%q", r.Secrets()["key"].Reveal())
	}
}

func TestForm_keptSecretsNeedNotBeTyped(t *testing.T) {
	spec := app.KindSpec{Kind: "x", Fields: []app.Field{{Key: "password", Type: app.FieldSecret, Required: true}}}
	if newFormRig(t, spec, Filling{}).Complete() {
		t.Error("complete without its secret")
	}
	if !newFormRig(t, spec, Filling{Keep: true}).Complete() {
		t.Error("a secret that is kept has to be typed")
	}
}

func TestForm_preset(t *testing.T) {
	w := english(t)
	r := newFormRig(t, kinds()[0], Filling{Hide: []string{"lock_mode", "lock_days"}})
	b2, wasabi := w.T("storage.s3.preset.b2"), w.T("storage.s3.preset.wasabi")
	before := len(uitest.Fields(r.c))
	uitest.Choose(t, r.c, b2)
	if got := r.Settings(); got["endpoint"] != "s3.eu-central-003.backblazeb2.com" || got["region"] != "eu-central-003" || got["preset"] != "b2" {
		t.Errorf("%v", got)
	}
	if !uitest.Sees(r.c, "Address: s3.eu-central-003.backblazeb2.com") || len(uitest.Fields(r.c)) != before-2 {
		t.Error("it is not said what was filled in, or it is asked for all the same")
	}
	uitest.Choose(t, r.c, "Another region")
	uitest.Write(t, r.c, 1, "eu-new-1") // after the bucket
	if got := r.Settings(); got["region"] != "eu-new-1" || got["endpoint"] != "s3.eu-new-1.backblazeb2.com" || got["preset"] != "b2" {
		t.Errorf("%v", got)
	}
	uitest.Choose(t, r.c, wasabi)
	if got := r.Settings(); got["endpoint"] != "s3.eu-central-2.wasabisys.com" || got["region"] != "eu-central-2" {
		t.Errorf("%v", got)
	}
	uitest.Press(t, r.c, "Show and change what Kvart filled in")
	uitest.Write(t, r.c, 0, "s3.proxy.example")
	if got := r.Settings(); got["endpoint"] != "s3.proxy.example" {
		t.Errorf("%v", got)
	}
	again := newFormRig(t, kinds()[0], Filling{Settings: r.Settings()})
	if !uitest.Sees(again.c, "s3.proxy.example") || !uitest.Sees(again.c, "Wasabi") {
		t.Error("what was changed is hidden again, or the provider forgotten")
	}
}

func TestForm_presetThatAsksForMore(t *testing.T) {
	w := english(t)
	r := newFormRig(t, kinds()[0], Filling{Hide: []string{"lock_mode", "lock_days"}})
	for i, v := range []string{"", "bucket", "", "key", "secret"} {
		uitest.Write(t, r.c, i, v)
	}
	if r.Complete() {
		t.Error("complete without an address")
	}
	uitest.Choose(t, r.c, w.T("storage.s3.preset.r2"))
	if !uitest.Sees(r.c, "Account ID") || !uitest.Sees(r.c, "Address: ….r2.cloudflarestorage.com") || r.Complete() {
		t.Error("the account is not asked for")
	}
	uitest.Write(t, r.c, 0, "0a1b")
	if got := r.Settings(); got["endpoint"] != "0a1b.r2.cloudflarestorage.com" || got["account"] != "0a1b" || got["region"] != "auto" || !r.Complete() {
		t.Errorf("%v, complete %v", got, r.Complete())
	}
	uitest.Choose(t, r.c, w.T("storage.s3.preset.minio"))
	if got := r.Settings(); got["endpoint"] != "" || got["region"] != "us-east-1" || r.Complete() {
		t.Errorf("the old address stays: %v", got)
	}
	uitest.Write(t, r.c, 0, "minio.example")
	if !r.Complete() || !uitest.Sees(r.c, "us-east-1") {
		t.Error("an own address is not enough, or the region is hidden")
	}
}

func TestForm_presetOfWhatWasFilledIn(t *testing.T) {
	r := newFormRig(t, kinds()[0], Filling{Settings: map[string]string{"endpoint": "s3.eu-west-1.wasabisys.com", "region": "eu-west-1"}})
	if !uitest.Sees(r.c, "Wasabi") || !uitest.Sees(r.c, "eu-west-1") || r.Settings()["endpoint"] != "s3.eu-west-1.wasabisys.com" {
		t.Errorf("%v", r.Settings())
	}
}
