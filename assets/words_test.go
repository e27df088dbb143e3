package assets

import (
	"testing"
	"time"
)

func TestWords(t *testing.T) {
	for _, tt := range []struct{ lang, one, many, bytes, day string }{
		{"sv_SE.UTF-8", "1 minut", "1\u00a0234 minuter", "1,4\u00a0GB", "torsdag 19 november"},
		{"en_GB.UTF-8", "1 minute", "1,234 minutes", "1.4\u00a0GB", "Thursday 19 November"},
		{"de_DE.UTF-8", "1 minute", "1,234 minutes", "1.4\u00a0GB", "Thursday 19 November"},
	} {
		w, err := NewWords(tt.lang)
		if err != nil {
			t.Fatal(err)
		}
		if got := w.N("span.minutes", 1); got != tt.one {
			t.Errorf("%s: %q, want %q", tt.lang, got, tt.one)
		}
		if got := w.N("span.minutes", 1234); got != tt.many {
			t.Errorf("%s: %q, want %q", tt.lang, got, tt.many)
		}
		if got := w.Bytes(1_404_000_000); got != tt.bytes {
			t.Errorf("%s: %q, want %q", tt.lang, got, tt.bytes)
		}
		if got := w.Day(time.Date(2026, 11, 19, 12, 0, 0, 0, time.Local)); got != tt.day {
			t.Errorf("%s: %q, want %q", tt.lang, got, tt.day)
		}
	}
}

func TestWords_missingKeyIsSeen(t *testing.T) {
	w, err := NewWords("sv")
	if err != nil {
		t.Fatal(err)
	}
	if got := w.T("no.such.key"); got != "⟦no.such.key⟧" {
		t.Errorf("got %q", got)
	}
	if w.Has("no.such.key") || !w.Has("weekday.0") || !w.Has("span.days") {
		t.Error("Has lies")
	}
}
