package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// kind returns a licence's short name in the list of SPDX, "" when the text is
// none that is known: a notice, or terms that somebody has to read first.
func kind(text string) string {
	text = strings.ToLower(strings.Join(strings.Fields(text), " "))
	for _, k := range []struct {
		name string
		says []string // all of them
	}{
		// those that bind the whole program come first, to be found
		{"AGPL-3.0", []string{"gnu affero general public license version 3"}},
		{"LGPL", []string{"gnu lesser general public license version"}},
		{"GPL", []string{"gnu general public license version"}},
		{"MPL-2.0", []string{"mozilla public license version 2.0"}},
		{"MPL-2.0", []string{"mozilla public license, version 2.0"}},
		{"OFL-1.1", []string{"sil open font license"}},
		{"Apache-2.0", []string{"apache license", "version 2.0"}},
		{"Zlib", []string{"altered source versions must be plainly marked"}},
		{"BSD-3-Clause", []string{"redistribution and use in source and binary forms", "endorse or promote products"}},
		{"BSD-2-Clause", []string{"redistribution and use in source and binary forms"}},
		{"ISC", []string{"permission to use, copy, modify, and/or distribute this software for any purpose with or without fee"}},
		{"ISC", []string{"permission to use, copy, modify, and distribute this software for any purpose with or without fee"}},
		{"Bitstream-Vera", []string{"bitstream vera is a trademark"}},
		{"MIT", []string{"permission is hereby granted, free of charge, to any person obtaining a copy", "without restriction"}},
		{"CC0-1.0", []string{"cc0 1.0 universal"}},
		{"Unlicense", []string{"this is free and unencumbered software released into the public domain"}},
		{"blessing", []string{"may you share freely, never taking more than you give"}},
	} {
		if !slices.ContainsFunc(k.says, func(s string) bool { return !strings.Contains(text, s) }) {
			return k.name
		}
	}
	return ""
}

// write writes the list, and each text once with the parts it is for.
func write(w io.Writer, parts []part) error {
	var b strings.Builder
	b.WriteString("Kvart is made with the work of many others. Thank you.\n" +
		"These are the parts, with the terms under which they may be used. The texts follow.\n\n")
	users := map[string][]string{}
	var texts []string
	for _, p := range parts {
		fmt.Fprintf(&b, "%s %s: %s\n", p.name, p.version, strings.Join(p.kinds, ", "))
		for _, t := range p.texts {
			if users[t] == nil {
				texts = append(texts, t)
			}
			users[t] = append(users[t], p.name)
		}
	}
	for _, t := range texts {
		fmt.Fprintf(&b, "\n%s\n%s\n\n%s", strings.Repeat("=", 72), strings.Join(users[t], "\n"), t)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
