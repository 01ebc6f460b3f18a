//! TCP connections with a chosen source address and receive buffer.

use std::io;
use std::net::{IpAddr, SocketAddr};

use tokio::net::{TcpSocket, TcpStream};

/// Receive buffer of sockets that are not read, in bytes; the kernel may round it up.
pub const UNREAD_BUFFER_BYTES: u32 = 2_048;

/// Connects to a server. On the loopback interface, the connection comes from `source`, so that one machine can act as several
/// clients; other servers see the address of this machine.
pub async fn connect(server: SocketAddr, source: Option<IpAddr>, receive_buffer: Option<u32>) -> io::Result<TcpStream> {
    let socket = if server.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if let Some(bytes) = receive_buffer {
        socket.set_recv_buffer_size(bytes)?;
    }
    if let Some(source) = source.filter(|source| server.ip().is_loopback() && source.is_ipv4() == server.is_ipv4()) {
        socket.bind(SocketAddr::new(source, 0))?;
    }
    let stream = socket.connect(server).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
