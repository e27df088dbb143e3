package main

import (
	"log/slog"
	"slices"
	"strings"
	"testing"

	"kvart/app"
	"kvart/assets"
	"kvart/backup"
	"kvart/connectors/all"
	"kvart/connectors/shopify"
)

// TestGuides_everyKind: whatever a form of this guard asks for, the owner is
// told how to get it, for every provider too.
func TestGuides_everyKind(t *testing.T) {
	t.Parallel()
	log := slog.New(slog.DiscardHandler)
	for area, kinds := range map[string][]app.KindSpec{
		"source":  all.Registry(log, all.Options{Cache: t.TempDir()}).Specs(),
		"storage": backup.New(log).Storages(),
	} {
		if len(kinds) < 6 {
			t.Errorf("%d kinds of %s", len(kinds), area)
		}
		for _, k := range kinds {
			of := area + "." + string(k.Kind)
			g, ok, err := assets.GuideFor(area, string(k.Kind))
			if err != nil || ok == slices.Contains(assets.Guideless(), of) {
				t.Errorf("%s: has a guide: %v, %v", of, ok, err)
			}
			for _, p := range k.Presets {
				if _, ok := g.Way(p.Key); !ok {
					t.Errorf("%s says nothing of %s", of, p.Key)
				}
			}
			if len(k.Presets) > 0 && len(k.Presets) != len(g.Ways) {
				t.Errorf("%s tells of %d providers, there are %d", of, len(g.Ways), len(k.Presets))
			}
			for _, w := range g.Ways {
				for _, s := range w.Steps {
					for _, key := range []string{"url", "shop"} {
						if _, has := k.Field(key); strings.Contains(s.Open, "{"+key+"}") && !has {
							t.Errorf("%s.%s opens a page by %q, which it does not ask for", of, s.Code, key)
						}
					}
				}
			}
		}
	}
}

// TestGuides_shopifyRights: the rights to be pasted are those that the backup
// needs, and none that may write.
func TestGuides_shopifyRights(t *testing.T) {
	t.Parallel()
	g, _, err := assets.GuideFor("source", "shopify")
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, s := range g.Ways[0].Steps {
		if s.Copy != "" {
			told = strings.Split(s.Copy, ",")
		}
	}
	for _, k := range shopify.NewPlatform(shopify.Options{}).Kinds() {
		for _, right := range k.Read {
			if !slices.Contains(told, right) {
				t.Errorf("%s needs %s, which the guide leaves out", k.Name, right)
			}
		}
	}
	for _, right := range told {
		if !strings.HasPrefix(right, "read_") {
			t.Errorf("the guide asks for %s", right)
		}
	}
}
