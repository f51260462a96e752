import { createRouter, createWebHistory } from 'vue-router'
import { useSession } from '@/stores/session'
import MainView from '@/views/MainView.vue'

const routes = [
  { path: '/login', name: 'login', component: () => import('@/views/LoginView.vue'), meta: { public: true } },
  {
    path: '/register',
    name: 'register',
    component: () => import('@/views/RegisterView.vue'),
    meta: { public: true },
  },
  {
    path: '/',
    component: MainView,
    children: [
      { path: '', name: 'home', component: () => import('@/components/NoChat.vue') },
      {
        path: 'chats/:chatId(\\d+)',
        name: 'chat',
        component: () => import('@/views/ChatDetailView.vue'),
        props: (/** @type {any} */ route) => ({
          chatId: Number(route.params.chatId),
          messageId: Number(route.query.message) || null,
        }),
      },
    ],
  },
  { path: '/:rest(.*)*', redirect: '/' },
]

const router = createRouter({ history: createWebHistory(), routes })

// Whoever has to log in comes back to where he wanted to go.
router.beforeEach((to) => {
  const { isLoggedIn } = useSession()
  if (!isLoggedIn && !to.meta.public) return loginFor(to.fullPath)
  if (isLoggedIn && to.meta.public) return String(to.query.to ?? '/')
})

/** The way to log in and then go on at a place. @param {string} place */
export function loginFor(place) {
  return { name: 'login', query: place === '/' ? {} : { to: place } }
}

export default router
