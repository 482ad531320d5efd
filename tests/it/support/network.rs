//! A machine of its own for an instance: a network namespace (`man ip-netns`) behind a router that can be cut off.
//!
//! ```text
//! this machine ── database ── router ── machine          cut: the router forwards nothing
//! this machine ────────────── clients ─ machine          never cut
//! ```

use std::io::{BufRead, BufReader, Write};
use std::net::Ipv4Addr;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Exists until this value or this process ends.
pub struct Network {
    /// Numbers the names and addresses, so that several processes can have one at once.
    number: u32,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    keeper: Child,
}

/// Lays the links, cuts and heals them on command, and removes them at the end of its input, which it reaches even when
/// this process is killed.
const KEEPER: &str = r#"
trap "" HUP INT TERM
name=$1 network=$2 first=$3
router=$name-r machine=$name-m
lay() {
    ip netns add "$router" && ip netns add "$machine" &&
    ip link add "$name-d" type veth peer name north netns "$router" &&
    ip -n "$router" link add south type veth peer name database netns "$machine" &&
    ip link add "$name-c" type veth peer name clients netns "$machine" &&
    ip address add "$network.$((first + 1))/30" dev "$name-d" && ip link set "$name-d" up &&
    ip -n "$router" address add "$network.$((first + 2))/30" dev north && ip -n "$router" link set north up &&
    ip -n "$router" address add "$network.$((first + 5))/30" dev south && ip -n "$router" link set south up &&
    ip -n "$machine" address add "$network.$((first + 6))/30" dev database && ip -n "$machine" link set database up &&
    ip address add "$network.$((first + 9))/30" dev "$name-c" && ip link set "$name-c" up &&
    ip -n "$machine" address add "$network.$((first + 10))/30" dev clients && ip -n "$machine" link set clients up &&
    ip -n "$machine" link set lo up &&
    ip route add "$network.$((first + 6))/32" via "$network.$((first + 2))" &&
    ip -n "$machine" route add "$network.$first/30" via "$network.$((first + 5))"
}
# Packets that come in are then dropped without a word to the sender.
forward() { ip netns exec "$router" sh -c "echo $1 >/proc/sys/net/ipv4/ip_forward"; }
lay && forward 1 && echo laid || echo failed
while read -r order; do
    case $order in
        cut) forward 0 ;;
        heal) forward 1 ;;
    esac
    echo "$order"
done
ip link delete "$name-d"
ip link delete "$name-c"
ip netns delete "$machine"
ip netns delete "$router"
"#;

impl Network {
    /// `None`, with a message, for anyone but root, and without `ip`.
    ///
    /// # Panics
    /// When `CI=true`, where a skipped test is a failure.
    pub fn lay() -> Option<Self> {
        let we_are_root = std::fs::metadata("/proc/self").is_ok_and(|us| us.uid() == 0);
        let laid = if we_are_root {
            Self::try_to_lay()
        } else {
            Err("only root may make network namespaces".to_owned())
        };
        match laid {
            Ok(network) => Some(network),
            Err(why) => {
                assert!(
                    std::env::var("CI").as_deref() != Ok("true"),
                    "{why}, and CI=true: run as root, with `ip` (Debian: iproute2)"
                );
                eprintln!("\n*** {why}: THE TEST OF A CUT NETWORK IS SKIPPED ***\n");
                None
            }
        }
    }

    fn try_to_lay() -> Result<Self, String> {
        let number = std::process::id() % (1 << 13);
        let (network, first) = Self::addresses(number);
        let mut keeper = Command::new("sh")
            .args(["-c", KEEPER, "keeper", &format!("hallpass{number}")])
            .args([network, first.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Ctrl-C is for the tests; the shell notices their end.
            .process_group(0)
            .spawn()
            .expect("every Unix has sh");
        let mut network = Self {
            number,
            orders: keeper.stdin.take(),
            answers: BufReader::new(keeper.stdout.take().unwrap()),
            keeper,
        };
        match network.answer().as_str() {
            "laid" => Ok(network),
            _ => Err("`ip` cannot make network namespaces here".to_owned()),
        }
    }

    /// A sixteenth of a network of 256, of those for tests (RFC 2544): its first three numbers, and the first of the
    /// fourth.
    fn addresses(number: u32) -> (String, u32) {
        let (block, network) = (number % 16, number / 16);
        let three = format!("198.{}.{}", 18 + network / 256, network % 256);
        (three, block * 16)
    }

    fn address(&self, nth: u32) -> Ipv4Addr {
        let (network, first) = Self::addresses(self.number);
        format!("{network}.{}", first + nth).parse().unwrap()
    }

    /// Of this machine, for the database.
    pub fn of_database(&self) -> Ipv4Addr {
        self.address(1)
    }

    /// Of the other machine, as the database sees it.
    pub fn of_machine(&self) -> Ipv4Addr {
        self.address(6)
    }

    /// Of the other machine, where its clients reach it.
    pub fn for_clients(&self) -> Ipv4Addr {
        self.address(10)
    }

    /// The command, on the other machine.
    pub fn on_machine(&self, command: &Command) -> Command {
        let mut there = Command::new("ip");
        there
            .args(["netns", "exec", &format!("hallpass{}-m", self.number)])
            .arg(command.get_program())
            .args(command.get_args());
        there.env_clear();
        if let Some(path) = std::env::var_os("PATH") {
            there.env("PATH", path);
        }
        for (name, value) in command.get_envs() {
            if let Some(value) = value {
                there.env(name, value);
            }
        }
        if let Some(directory) = command.get_current_dir() {
            there.current_dir(directory);
        }
        there
    }

    /// From now on, packets between the machine and the database vanish. No connection is closed.
    pub fn cut(&mut self) {
        self.order("cut");
    }

    pub fn heal(&mut self) {
        self.order("heal");
    }

    fn order(&mut self, order: &str) {
        writeln!(self.orders.as_mut().unwrap(), "{order}").unwrap();
        assert_eq!(self.answer(), order);
    }

    fn answer(&mut self) -> String {
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        answer.trim().to_owned()
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.orders = None;
        let _ = self.keeper.wait();
    }
}
