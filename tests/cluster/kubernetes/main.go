// Command kubernetes is every Kubernetes program of the development cluster in one file: linking them together costs
// little more than linking the largest, and the build is then one step. A program is chosen by the name the file was called by
// (a link named kubectl is kubectl) or by the first argument. It is not a distribution: nothing here is hardened.
//
// The CSI sidecars are complete programs of their own modules; go.mod names them as tools and they are built beside it.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/coredns/coredns/coremain"
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/file"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	kubectl "k8s.io/kubectl/pkg/cmd"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

// programs are the Kubernetes commands; CoreDNS has its own main function and is apart.
var programs = map[string]func() *cobra.Command{
	"kube-apiserver":          func() *cobra.Command { return apiserver.NewAPIServerCommand() },
	"kube-controller-manager": func() *cobra.Command { return controllermanager.NewControllerManagerCommand() },
	"kube-scheduler":          func() *cobra.Command { return scheduler.NewSchedulerCommand() },
	"kubelet":                 func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) },
	"kube-proxy":              func() *cobra.Command { return proxy.NewProxyCommand() },
	"kubectl":                 func() *cobra.Command { return kubectl.NewDefaultKubectlCommand() },
}

const dns = "coredns"

func main() {
	program := filepath.Base(os.Args[0])
	if !known(program) {
		if len(os.Args) < 2 || !known(os.Args[1]) {
			fmt.Fprintln(os.Stderr, "usage: kubernetes PROGRAM [FLAGS], where PROGRAM is", strings.Join(names(), ", "))
			os.Exit(2)
		}
		program = os.Args[1]
		os.Args = os.Args[1:] // each program reads its flags from there, and cobra its own name
	}
	if program == dns {
		coremain.Run()
		return
	}
	os.Exit(cli.Run(programs[program]()))
}

func known(program string) bool { return slices.Contains(names(), program) }

func names() []string {
	all := []string{dns}
	for name := range programs {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}
