package main

import (
	"time"

	"github.com/go-gl/glfw/v3.3/glfw"

	"kvart/ui/doze"
)

// desktop is the window system, as Fyne's own driver uses it.
type desktop struct{}

var _ doze.Events = desktop{}

// Wait implements [doze.Events].
func (desktop) Wait(atMost time.Duration) { glfw.WaitEventsTimeout(atMost.Seconds()) }

// Wake implements [doze.Events].
func (desktop) Wake() { glfw.PostEmptyEvent() }
