package screen

import (
	"testing"
	"time"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/uitest"
)

func english(t *testing.T) *assets.Words {
	t.Helper()
	w, err := assets.NewWords("en")
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestExplain_everyCodeHasWordsAndOneButton(t *testing.T) {
	t.Parallel()
	for _, lang := range assets.Languages() {
		w, err := assets.NewWords(lang)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range app.Codes() {
			p := Explain(w, &app.Error{Code: c}, "")
			for _, s := range []string{p.Title, p.Meaning, p.Next, p.Button} {
				if s == "" || s[0] == "⟦"[0] && s[:3] == "⟦" {
					t.Errorf("%s: %s says %q", lang, c, s)
				}
			}
		}
	}
}

func TestModelJob(t *testing.T) {
	t.Parallel()
	j := *uitest.BackingUp().Job
	m := ModelJob(english(t), j, j.Started.Add(20*time.Second))
	if m.Counts != "281 of 1,204 files, 700\u00a0MB of 3.1\u00a0GB" || m.Rate != "35\u00a0MB/s, about 1 min 9 s left" || m.Share < 0.22 || m.Share > 0.23 {
		t.Errorf("%+v", m)
	}
	if m := ModelJob(english(t), j, j.Started); m.Rate != "" {
		t.Errorf("a rate after no time: %q", m.Rate)
	}
	j.BytesDone, j.Bytes = 5, 4 // a file grew meanwhile
	if m := ModelJob(english(t), j, j.Started.Add(time.Minute)); m.Share != 1 {
		t.Errorf("share %v", m.Share)
	}
	j.Bytes, j.Items = 0, 0
	if m := ModelJob(english(t), j, j.Started.Add(time.Minute)); m.Counts != "" || m.Share != 0 {
		t.Errorf("%+v", m)
	}
}

func TestUniqueName(t *testing.T) {
	t.Parallel()
	if got := UniqueName(english(t), "Kassa", []string{"kassa", "Kassa 2"}); got != "Kassa 3" {
		t.Errorf("%q", got)
	}
}

func TestNameFor(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{`C:\Kassa\data\kassa.db`: "kassa.db", "/home/asa/Bilder/": "Bilder", "/": "/"} {
		if got := NameFor(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestPathField(t *testing.T) {
	t.Parallel()
	for _, k := range uitest.Forms().Sources {
		if _, ok := PathField(k); !ok {
			t.Errorf("%s needs more than a path", k.Kind)
		}
	}
	for _, k := range uitest.Forms().Storages[:1] {
		if _, ok := PathField(k); ok {
			t.Errorf("a path is enough for %s", k.Kind)
		}
	}
}
